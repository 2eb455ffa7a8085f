//! Software that acts as hardware.

use crate::bundles::judge_by;
use atoma_tee::{
    Bundle, Policy, Tier,
    bundle::PlatformEvidence,
    octets::Octets,
    software::SoftwareEvidence,
    testing::{self, no_roots},
};

fn bundle() -> Bundle {
    testing::bundle(Vec::new(), Vec::new(), |report_data| {
        PlatformEvidence::Software(SoftwareEvidence {
            measurement: Octets([0x50; 48]),
            report_data,
        })
    })
}

fn policy(tier: &str, section: &str) -> Policy {
    let measured = format!(
        "software = [\"{}\"]\n{section}\n[snp.genoa]",
        "50".repeat(48)
    );
    let text = testing::policy_text()
        .replace("[snp.genoa]", &measured)
        .replace("tier = \"attested\"", &format!("tier = \"{tier}\""));
    Policy::from_toml(&text).unwrap()
}

/// Neither the section nor the tier alone accepts it.
#[test]
fn software_is_accepted_by_name_alone() {
    let judged = |policy: &Policy| judge_by(&bundle(), &no_roots(), policy);
    let verdict = judged(&policy("software", "[software]"));
    assert_eq!(verdict.tier, Some(Tier::Software));
    assert_eq!(
        judged(&policy("software", "")).refusals(),
        ["policy_platform"]
    );
    assert_eq!(
        judged(&policy("partial", "[software]")).refusals(),
        ["policy_tier"]
    );
    assert_eq!(judged(&testing::policy()).refusals(), ["policy_platform"]);
    let mut changed = bundle();
    changed.keyset.models.0[0] ^= 1;
    let verdict = judge_by(&changed, &no_roots(), &policy("software", "[software]"));
    assert_eq!(verdict.refusals(), ["bundle_report_data"]);
}
