//! What a policy doesn't allow.

use super::table::faults;

faults! {
    /// What a policy doesn't allow.
    PolicyFault {
        Platform = "policy_platform", "the policy allows no evidence of this platform";
        Network = "policy_network", "the keyset is for another network";
        Node = "policy_node", "the keyset is another node's";
        KeysetNotYet = "policy_keyset_not_yet", "the keyset doesn't count yet";
        KeysetExpired = "policy_keyset_expired", "the keyset has expired";
        KeysetLifetime = "policy_keyset_lifetime", "the keyset lasts longer than the policy allows";
        Nonce = "policy_nonce", "the evidence doesn't answer the nonce that was asked with";
        CheckpointAge = "policy_checkpoint_age", "the checkpoint is older than the policy allows";
        CheckpointFuture = "policy_checkpoint_future", "the checkpoint is of a later time";
        Release = "policy_release", "the policy doesn't know the release";
        ReleaseTime = "policy_release_time", "the policy allows the release at another time only";
        Measurement = "policy_measurement", "what the guest started with isn't what the release starts with";
        Tier = "policy_tier", "the evidence is worth less than the policy asks for";
        SnpProduct = "policy_snp_product", "the policy doesn't allow this generation of processors";
        SnpTcb = "policy_snp_tcb", "the firmware is older than the policy allows";
        SnpDebug = "policy_snp_debug", "the host may read the guest: debugging is allowed";
        SnpMigration = "policy_snp_migration", "a migration agent may move the guest";
        SnpSmt = "policy_snp_smt", "two threads share a core, with microcode below the policy's floor for that";
        SnpAliasCheck = "policy_snp_alias_check", "the firmware hasn't checked memory for two addresses of one place";
        SnpVmpl = "policy_snp_vmpl", "the report was asked for at too low a privilege level";
        SnpHostData = "policy_snp_host_data", "the host gave the guest data that the policy doesn't know";
        SnpRevocations = "policy_snp_revocations", "AMD's revocation list is missing";
        TdxStatus = "policy_tdx_status", "Intel knows of a weakness that the platform hasn't mended";
        TdxEvaluation = "policy_tdx_evaluation", "the platform's state is judged by too old a list";
        TdxSetUp = "policy_tdx_set_up", "the platform is set up in a way that the policy doesn't allow";
        NitroDebug = "policy_nitro_debug", "the enclave runs in debug mode";
        NitroKey = "policy_nitro_key", "the enclave's public key isn't the keyset's receipt key";
        Devices = "policy_devices", "the policy allows no GPUs";
        Gpus = "policy_gpus", "there are fewer GPUs than the policy asks for";
        Untied = "policy_untied", "nothing says that the GPUs are in one machine";
        DeviceProduct = "policy_device_product", "the policy doesn't allow this product";
        Driver = "policy_driver", "the policy doesn't allow this driver";
        DeviceRevocations = "policy_device_revocations", "stored answers about a device's certificates are missing";
        Manifest = "policy_manifest", "the manifest is one that doesn't count any more";
    }
}
