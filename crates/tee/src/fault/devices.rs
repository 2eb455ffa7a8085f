//! What is wrong with the evidence of GPUs and switches.

use super::table::faults;

faults! {
    /// What is wrong with a device's report.
    DeviceFault {
        ChainLength = "device_chain_length", "a device's chain hasn't five certificates";
        Truncated = "device_truncated", "the report ends too early";
        Request = "device_request", "the report doesn't begin with the request that it answers";
        Response = "device_response", "the report isn't an answer with measurements";
        Block = "device_block", "a measurement isn't in the one form that devices write";
        Trailing = "device_trailing", "bytes are left over in the report";
        Repeated = "device_field_repeated", "a field stands twice in the report";
        FieldMissing = "device_field_missing", "a field of the report is missing";
        Field = "device_field", "a field of the report can't be read";
        Signature = "device_signature", "the report isn't signed by the certificate's key";
        Nonce = "device_nonce", "the device wasn't asked with this guest's nonce";
        Firmware = "device_firmware", "the firmware that answers isn't the one in the certificate";
        Chip = "device_chip", "the certificate names no chip, or the device calls itself another";
    }
}

faults! {
    /// What is wrong with a signed manifest, or with a device held against it.
    ManifestFault {
        Xml = "manifest_xml", "the manifest isn't XML, or too deep";
        Shape = "manifest_shape", "the manifest has another shape than NVIDIA's have";
        Unsigned = "manifest_unsigned", "the manifest hasn't exactly one signature, as its last element";
        Algorithm = "manifest_algorithm", "the manifest is signed by other algorithms than NVIDIA's are";
        Base64 = "manifest_base64", "a value in the manifest's signature isn't base64";
        Digest = "manifest_digest", "the manifest was changed after it was signed";
        Signature = "manifest_signature", "the manifest isn't signed by its certificate's key";
        Resource = "manifest_resource", "a measurement in the manifest can't be read";
        Empty = "manifest_empty", "the manifest says nothing about any measurement";
        Missing = "manifest_missing", "there is no manifest for a version that the device runs";
        Twice = "manifest_twice", "two manifests are for the same version";
        Overlap = "manifest_overlap", "both manifests of a device are for one measurement";
        BlockMissing = "manifest_block_missing", "the device doesn't measure what its manifest is for";
        Differs = "manifest_differs", "a measurement isn't one that its manifest allows";
    }
}

faults! {
    /// Why devices aren't those of one board.
    BoardFault {
        ChipTwice = "board_chip_twice", "one device gave evidence twice";
        OtherBoard = "board_other", "a GPU sits on another board than the others";
        OtherSwitches = "board_switches", "the switches that gave evidence aren't those that the GPUs name";
        UnknownGpu = "board_unknown_gpu", "a switch doesn't know a GPU that names it";
        Driver = "board_driver", "the GPUs of one guest have different drivers";
    }
}
