//! Bills computed by hand.

use atoma_cost::{Assumptions, Basis, Kind, Plan, Usd, bill, report, thresholds};

fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

fn close(got: Usd, expected: &str, permille: u128) {
    let (got, expected) = (got.pico(), usd(expected).pico());
    assert!(
        got.abs_diff(expected) * 1_000 <= expected * permille,
        "{got} {expected}"
    );
}

/// 100 requests a day of 600 + 400 tokens.
fn small() -> Assumptions {
    Assumptions {
        requests_per_day: 100,
        input_tokens: 600,
        output_tokens: 400,
        stack_tokens: 100_000,
        ..Assumptions::for_model(None).unwrap()
    }
}

#[test]
fn every_line_of_a_small_bill() {
    let a = Assumptions {
        input_price: usd("0.50"),
        output_price: usd("1.50"),
        gateway_fee_permille: 100,
        ..small()
    };
    let plan = Plan {
        requests_per_stack: 100,
        records_per_pack: 10,
    };
    let bill = bill(&a, plan).unwrap();
    // 3000 requests * (600 * 0.5 + 400 * 1.5) / 10^6 = 2.70, of which 1 % is the protocol's
    assert_eq!(bill.line(Kind::Compute), usd("2.673"));
    assert_eq!(bill.line(Kind::ProtocolFee), usd("0.027"));
    // 30 stacks * 1 % * 3 attesters * 32 answers * 1000 tokens * 0.5 / 10^6
    assert_eq!(bill.line(Kind::Audits), usd("0.0144"));
    // 30 stacks * 4 * 0.02; 30 stacks * (1 + 1 % * 7) * 0.02; 300 packs * 2 * 0.02
    assert_eq!(bill.line(Kind::StackTransactions), usd("2.40"));
    assert_eq!(bill.line(Kind::AuditTransactions), usd("0.642"));
    assert_eq!(bill.line(Kind::PackTransactions), usd("12.00"));
    // 10 records of 5024 bytes are 63 MiB; 300 * 63 * 1048576 / 10^9 = 19.8180864 GB, kept for 4 epochs
    // of 14 days: * (0.5 * 56 / 365 + 0.003836)
    close(bill.line(Kind::Storage), "1.59629", 1);
    let before = bill.total.pico() - bill.line(Kind::GatewayFee).pico();
    assert_eq!(bill.line(Kind::GatewayFee).pico(), before.div_ceil(10));
    assert_eq!(
        bill.chain.pico(),
        usd("15.042").pico() + bill.line(Kind::Storage).pico()
    );
    let sum: u128 = bill.lines.iter().map(|(_, cost)| cost.pico()).sum();
    assert_eq!(bill.total.pico(), sum);
}

#[test]
fn the_price_of_gpus() {
    let a = Assumptions {
        basis: Basis::Gpu,
        gpu_hour: usd("3.60"),
        input_tokens_per_second: 1_000,
        output_tokens_per_second: 100,
        utilisation_permille: 500,
        protocol_fee_permille: 200,
        audit_permille: 0,
        ..small()
    };
    let plan = Plan {
        requests_per_stack: 100,
        records_per_pack: 10,
    };
    // 600/1000 + 400/100 = 4.6 s, twice that rented, at 0.001 a second: 0.0092 a request
    let bill = bill(&a, plan).unwrap();
    assert_eq!(bill.line(Kind::Compute), usd("27.60"));
    // so that 27.60 are 80 % of what is paid
    assert_eq!(bill.line(Kind::ProtocolFee), usd("6.90"));
    assert_eq!(bill.line(Kind::AuditTransactions), Usd::ZERO);
    assert_eq!(bill.line(Kind::Audits), Usd::ZERO);
    let gpu = report(&a).unwrap().gpu;
    // 460 busy seconds of 86400 a day, twice: 0.01065 of a GPU
    assert_eq!((gpu.count_milli, gpu.per_month), (11, usd("27.60")));
    assert_eq!(gpu.share_of_compute_ppm, 1_000_000);
}

/// Walrus's facts: a million records of 2 KiB a day, kept a year at $0.023 a GB and month.
#[test]
fn a_million_records_a_day() {
    let mut a = Assumptions {
        requests_per_day: 1_000_000,
        input_tokens: 1,
        output_tokens: 0,
        bytes_per_token: 0,
        record_overhead: 2_048,
        retention_days: 350,
        walrus_gb_year: usd("0.276"),
        walrus_gb_write: Usd::ZERO,
        ..Assumptions::for_model(None).unwrap()
    };
    let day = |a: &Assumptions, records_per_pack| {
        let plan = Plan {
            requests_per_stack: 1,
            records_per_pack,
        };
        let month = bill(a, plan).unwrap().line(Kind::Storage);
        month.scaled(&[], &[30]).unwrap()
    };
    // 10^6 * 63 MiB * 0.276 and 364 of 365 days
    close(day(&a, 1), "18182.6", 1);
    close(day(&a, 32_768), "3.10", 30);
    a.walrus_shards = 10;
    close(day(&a, 1), "288.6", 10);
}

#[test]
fn plans_follow_bytes_number_age_and_life() {
    let a = small();
    let of = |a: Assumptions| {
        let plan = Plan::of(&a);
        (plan.requests_per_stack, plan.records_per_pack)
    };
    // 4 an hour
    assert_eq!(of(a.clone()), (100, 4));
    assert_eq!(
        of(Assumptions {
            nodes: 100,
            ..a.clone()
        }),
        (100, 1)
    );
    assert_eq!(
        of(Assumptions {
            pack_seconds: 864_000,
            ..a.clone()
        }),
        (100, 1_000)
    );
    let patient = Assumptions {
        pack_seconds: 864_000,
        ..a.clone()
    };
    assert_eq!(
        of(Assumptions {
            pack_records: 7,
            ..patient.clone()
        }),
        (100, 7)
    );
    assert_eq!(
        of(Assumptions {
            pack_bytes: 50_240,
            ..patient
        }),
        (100, 10)
    );
    assert_eq!(
        of(Assumptions {
            stack_tokens: 1,
            ..a.clone()
        }),
        (1, 4)
    );
    // 90 days of 100
    assert_eq!(
        of(Assumptions {
            stack_tokens: 1 << 40,
            ..a
        }),
        (9_000, 4)
    );
}

#[test]
fn thresholds_are_the_first_that_hold() {
    let a = Assumptions::for_model(None).unwrap();
    let plan = Plan {
        requests_per_stack: 1 << 30,
        records_per_pack: 30_000,
    };
    let found = thresholds(&a, plan).unwrap();
    let records = found.records_per_pack.unwrap();
    let below = |plan| bill(&a, plan).unwrap().chain_below(a.target_permille);
    assert!(below(Plan {
        records_per_pack: records,
        ..plan
    }));
    assert!(!below(Plan {
        records_per_pack: records - 1,
        ..plan
    }));
    let requests = found.requests_per_stack.unwrap();
    assert!(below(Plan {
        requests_per_stack: requests,
        ..plan
    }));
    assert!(!below(Plan {
        requests_per_stack: requests - 1,
        ..plan
    }));
    assert_eq!(found.stack_tokens, Some(requests * 1_500));

    // a stack per request can't be made good by packs, nor a pack per request by stacks
    let hopeless = Plan {
        requests_per_stack: 1,
        records_per_pack: 1,
    };
    let found = thresholds(&a, hopeless).unwrap();
    assert_eq!((found.records_per_pack, found.stack_tokens), (None, None));
    // where the chain is free, everything holds
    let free = Assumptions {
        sui_transaction: Usd::ZERO,
        walrus_gb_year: Usd::ZERO,
        walrus_gb_write: Usd::ZERO,
        ..a
    };
    let found = thresholds(&free, hopeless).unwrap();
    assert_eq!(
        (found.records_per_pack, found.requests_per_stack),
        (Some(1), Some(1))
    );
}

#[test]
fn others_are_compared_by_the_same_tokens() {
    let a = Assumptions::for_model(Some("llama-3.1-405b")).unwrap();
    let report = report(&a).unwrap();
    assert!(
        report
            .web2
            .iter()
            .all(|other| other.price.model == "llama-3.1-405b")
    );
    let bedrock = &report.web2[0];
    // 30 million requests of 1500 tokens at 2.40
    assert_eq!(bedrock.cost.per_month, usd("108000"));
    assert_eq!(bedrock.cost.per_million_tokens, usd("2.40"));
    assert!(bedrock.ours_ppm > 2_000_000);
}

#[test]
fn too_much_is_an_error_and_never_wraps() {
    let a = Assumptions {
        requests_per_day: 1_000_000_000_000,
        input_tokens: 10_000_000,
        input_price: usd("1000000000"),
        sui_transaction: usd("1000000000"),
        gpu_hour: usd("1000000000"),
        basis: Basis::Gpu,
        input_tokens_per_second: 9_999_991,
        output_tokens_per_second: 9_999_973,
        ..Assumptions::for_model(None).unwrap()
    };
    assert_eq!(report(&a).unwrap_err().code(), "overflow");
    let huge = Assumptions {
        pack_bytes: 1 << 40,
        pack_records: 1 << 40,
        pack_seconds: 366 * 86_400,
        ..Assumptions::for_model(None).unwrap()
    };
    assert_eq!(report(&huge).unwrap_err().code(), "pack_too_large");
}
