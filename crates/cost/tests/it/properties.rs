//! What holds for every workload.

use atoma_cost::{Assumptions, Basis, Kind, Plan, Usd, bill};
use proptest::prelude::*;

fn workload() -> impl Strategy<Value = Assumptions> {
    (
        (1_u64..100_000_000, 1_u64..20_000, 0_u64..20_000),
        (0_u128..20_000_000_000_000, 0_u128..100_000_000_000),
        (0_u64..2_000, 4_u16..=1_000, 0_u64..=1_000, 1_u64..64),
        (any::<bool>(), 0_u64..900, 0_u64..500),
    )
        .prop_map(|(requests, prices, chain, fees)| {
            let (requests_per_day, input_tokens, output_tokens) = requests;
            let (retention_days, walrus_shards, audit_permille, audit_samples) = chain;
            Assumptions {
                basis: if fees.0 { Basis::Gpu } else { Basis::Tokens },
                requests_per_day,
                input_tokens,
                output_tokens,
                output_price: Usd::from_pico(prices.0),
                sui_transaction: Usd::from_pico(prices.1),
                retention_days,
                walrus_shards,
                audit_permille,
                audit_samples,
                protocol_fee_permille: fees.1,
                gateway_fee_permille: fees.2,
                ..Assumptions::for_model(None).unwrap()
            }
        })
}

/// Few enough for the smallest network's blobs: 393 kB at four shards hold no ten records of 160 kB.
fn fits(a: &Assumptions, plan: Plan) -> Option<atoma_cost::Bill> {
    bill(a, plan).ok()
}

proptest! {
    #[test]
    fn a_multiple_of_a_batch_never_costs_more(
        a in workload(),
        records in 1_u64..5_000,
        times in 2_u64..20,
        requests in 1_u64..1_000_000,
    ) {
        let plan = |records_per_pack| Plan { requests_per_stack: requests, records_per_pack };
        if let (Some(small), Some(large)) = (fits(&a, plan(records)), fits(&a, plan(records * times))) {
            prop_assert!(large.total <= small.total);
            prop_assert!(large.line(Kind::Storage) <= small.line(Kind::Storage));
            prop_assert!(large.chain <= small.chain);
        }
    }

    #[test]
    fn a_larger_stack_never_costs_more(
        a in workload(),
        requests in 1_u64..1_000_000,
        more in 1_u64..1_000_000,
    ) {
        let plan = |requests_per_stack| Plan { requests_per_stack, records_per_pack: 1 };
        if let (Some(small), Some(large)) = (fits(&a, plan(requests)), fits(&a, plan(requests + more))) {
            prop_assert!(large.total <= small.total);
            prop_assert!(large.chain <= small.chain);
        }
    }

    #[test]
    fn longer_dearer_and_more_never_cost_less(a in workload(), requests in 1_u64..100_000) {
        let plan = Plan { requests_per_stack: requests, records_per_pack: 2 };
        let Some(before) = fits(&a, plan) else { return Ok(()) };
        let dearer = [
            Assumptions { retention_days: a.retention_days + 1, ..a.clone() },
            Assumptions { requests_per_day: a.requests_per_day + 1, ..a.clone() },
            Assumptions { sui_transaction: Usd::from_pico(a.sui_transaction.pico() + 1), ..a.clone() },
            Assumptions { audit_samples: a.audit_samples + 1, ..a.clone() },
            Assumptions { gateway_fee_permille: a.gateway_fee_permille + 1, ..a },
        ];
        for other in dearer {
            prop_assert!(bill(&other, plan).unwrap().total >= before.total);
        }
    }

    #[test]
    fn lines_make_the_total(a in workload(), requests in 1_u64..100_000) {
        let plan = Plan { requests_per_stack: requests, records_per_pack: 1 };
        let Some(bill) = fits(&a, plan) else { return Ok(()) };
        let sum = |chain_only: bool| -> u128 {
            let lines = bill.lines.iter();
            lines.filter(|(kind, _)| !chain_only || kind.is_chain()).map(|(_, cost)| cost.pico()).sum()
        };
        prop_assert_eq!(sum(false), bill.total.pico());
        prop_assert_eq!(sum(true), bill.chain.pico());
        prop_assert_eq!(bill.lines.map(|(kind, _)| kind), Kind::ALL);
    }
}

/// Why the rule is about multiples: the first record that needs the next size of symbol costs more than it
/// saves.
#[test]
fn one_record_more_may_cost_more() {
    let a = Assumptions {
        input_tokens: 1,
        output_tokens: 0,
        bytes_per_token: 0,
        record_overhead: 2_048,
        ..Assumptions::for_model(None).unwrap()
    };
    let storage = |records_per_pack| {
        let plan = Plan {
            requests_per_stack: 1,
            records_per_pack,
        };
        bill(&a, plan).unwrap().line(Kind::Storage)
    };
    // 217 * 2048 = 444,416 bytes are 63 units, 218 are 65
    assert!(storage(218) > storage(217));
    assert!(storage(434) <= storage(217));
}
