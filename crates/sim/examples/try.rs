use atoma_sim::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let nodes = a[2].parse().unwrap();
    let requests = a[3].parse().unwrap();
    let names: Vec<Strategy> = if a[1] == "all" { Strategy::ALL.to_vec() } else { vec![Strategy::named(&a[1]).unwrap()] };
    for s in names {
        let t = std::time::Instant::now();
        let mut plan = Plan::new(s, nodes, requests, 1);
        for kv in &a[4..] {
            let (k, v) = kv.split_once('=').unwrap();
            let v: u64 = v.parse().unwrap();
            let ok = plan.rules.params.set(k, v) || plan.market.set(k, v) || match k { "share" => { plan.share_permille = v; true } "false" => { plan.false_permille = v; true }
              "seed" => { plan.seed = v; true } "owners_half" => {plan.rules.weaker.owners_half = true; true} _ => false };
            assert!(ok, "{k}");
        }
        let out = run(&plan).unwrap();
        let hon = run(&plan.honestly()).unwrap();
        let p = |g: &Group| { let s_ = s.sides(); let mut x = 0; if s_.serving { x += g.serving.profit() } if s_.attesting { x += g.attesting.profit() } if s_.using { x += g.using.profit() } x };
        println!("{s}: {} / {} = {:.3}  {:?}", p(&out.coalition), p(&hon.coalition), p(&out.coalition) as f64 / p(&hon.coalition) as f64, t.elapsed());
        if let Some(w) = weaker(s) { let m = measure(&w.of(&plan)).unwrap(); if a[1] != "all" { println!("WEAK {:?}\nHON  {:?}\n{:?}\n{:?}", m.outcome.coalition, m.honest.coalition, m.outcome.seen, m.honest.seen); } println!("     weaker {}: {} / {} = {:.3} conv {} {}", w.name, m.profit(), m.honest_profit(), m.ratio().unwrap_or(0) as f64/1e6, m.outcome.seen.convicted, m.outcome.seen.convicted_honest); }
        if a[1] != "all" { println!("{:#?}\n{:?}\n{:?}\n{:?}", out.coalition, hon.coalition, out.seen, hon.seen); }
    }
}
