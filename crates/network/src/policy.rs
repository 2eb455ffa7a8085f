//! What a client must accept for nodes whose hardware is software.

use atoma_tee::octets::{Digest, Measurement};
use atoma_types::NetworkId;

/// A policy file that accepts software that acts as hardware, of one release on one network. It protects against nobody.
#[must_use]
pub fn software_policy(network: NetworkId, release: Digest, measurement: Measurement) -> String {
    format!(
        "# Accepts software that acts as hardware: for development. It protects against nobody.\n\
         tier = \"software\"\n\
         networks = [\"{network}\"]\n\
         max_checkpoint_age_ms = 86400000\n\
         max_keyset_lifetime_ms = 7200000\n\n\
         [[releases]]\n\
         id = \"{release}\"\n\
         name = \"software, for development\"\n\
         software = [\"{measurement}\"]\n\n\
         [software]\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_tee::{Policy, Tier, octets::Octets};

    #[test]
    fn the_policy_is_one_and_names_software() {
        let (network, release) = (NetworkId([1; 32]), Octets([2; 32]));
        let text = software_policy(network, release, Octets([3; 48]));
        let policy = Policy::from_toml(&text).unwrap();
        assert!(policy.software.is_some() && policy.tier == Tier::Software);
        assert!(policy.networks.contains(&network));
        assert_eq!(policy.releases[0].id, release);
    }
}
