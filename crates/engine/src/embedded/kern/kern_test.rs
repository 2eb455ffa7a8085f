use super::*;

/// Every instruction set that this machine has.
fn all() -> Vec<Simd> {
    [Isa::Avx512, Isa::Avx2, Isa::Portable]
        .into_iter()
        .filter_map(|i| Simd::new(Some(i)))
        .collect()
}

/// A cheap stream of floats in -1..1.
fn floats(seed: u32, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(next).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

fn product<T: Weight>(m: usize, rows: usize, cols: usize) {
    let (x, weights, bias) = (floats(1, m * cols), floats(2, rows * cols), floats(3, rows));
    let mut w = Matrix::<T>::zeros(rows, cols).unwrap();
    w.fill(0, rows, |r, c| weights[r * cols + c]);
    w.set_bias(bias.clone());
    let mut expected = vec![0f32; m * rows];
    for i in 0..m {
        for r in 0..rows {
            let mut acc = 0f32;
            for c in 0..cols {
                acc = x[i * cols + c].mul_add(T::narrow(weights[r * cols + c]).widen(), acc);
            }
            expected[i * rows + r] = acc + bias[r];
        }
    }
    for simd in all() {
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let mut out = vec![0f32; m * rows];
            pool.install(|| gemm(simd, &x, &w, &mut out, Store::Set));
            assert_eq!(
                bits(&out),
                bits(&expected),
                "{simd:?} m {m} rows {rows} cols {cols}"
            );
            pool.install(|| gemm(simd, &x, &w, &mut out, Store::Add));
            let twice: Vec<f32> = expected.iter().map(|v| v + v).collect();
            assert_eq!(bits(&out), bits(&twice));
        }
    }
    let mut row = vec![0f32; cols];
    w.row(rows - 1, &mut row);
    let last: Vec<f32> = weights[(rows - 1) * cols..]
        .iter()
        .map(|v| T::narrow(*v).widen())
        .collect();
    assert_eq!(bits(&row), bits(&last));
}

#[test]
fn products_equal_one_chain_per_element_for_every_shape() {
    for m in 1..=13 {
        product::<f32>(m, 200, 37);
        product::<Bf16>(m, 161, 48);
    }
    product::<f32>(29, 32, 64);
    product::<f32>(1, 1, 1);
    product::<f32>(26, 330, 100);
}

#[test]
fn exp_is_accurate_and_the_same_everywhere() {
    let xs: Vec<f32> = (0..200_000)
        .map(|i| -87.0 + i as f32 * (175.0 / 200_000.0))
        .collect();
    let mut first: Option<Vec<u32>> = None;
    for simd in all() {
        let mut ys = xs.clone();
        exp_shifted(simd, &mut ys, 0.0);
        for (x, y) in xs.iter().zip(&ys) {
            let exact = libm::exp(f64::from(*x));
            assert!(
                ((f64::from(*y) - exact) / exact).abs() < 2.5e-7,
                "exp({x}) = {y}"
            );
        }
        assert_eq!(first.get_or_insert(bits(&ys)), &bits(&ys));
    }
}

#[test]
fn gelu_and_layer_norm_are_accurate_and_the_same_everywhere() {
    let xs: Vec<f32> = (0..100_000).map(|i| i as f32 * 2e-4 - 10.0).collect();
    let (scale, shift) = (floats(5, 1000), floats(6, 1000));
    let mut first: Option<(Vec<u32>, Vec<u32>)> = None;
    for simd in all() {
        let mut ys = xs.clone();
        gelu(simd, &mut ys);
        for (x, y) in xs.iter().zip(&ys) {
            let x = f64::from(*x);
            let exact = 0.5 * x * libm::erfc(-x / std::f64::consts::SQRT_2);
            assert!((f64::from(*y) - exact).abs() < 6e-7, "gelu({x}) = {y}");
        }
        let mut row: Vec<f32> = floats(7, 1000).iter().map(|x| x * 3.0 + 5.0).collect();
        let wide: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
        layer_norm(simd, &mut row, &scale, &shift, 1e-12);
        let mean = wide.iter().sum::<f64>() / 1000.0;
        let variance = wide.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1000.0;
        for (i, y) in row.iter().enumerate() {
            let normed = (wide[i] - mean) / variance.sqrt();
            let exact = normed * f64::from(scale[i]) + f64::from(shift[i]);
            assert!((f64::from(*y) - exact).abs() < 1e-5, "{y} {exact}");
        }
        let seen = (bits(&ys), bits(&row));
        assert_eq!(first.get_or_insert(seen.clone()), &seen, "{simd:?}");
    }
    let mut extremes = [0.0, -0.0, 60.0, -60.0, 1e30, -1e30];
    gelu(Simd::new(None).unwrap(), &mut extremes);
    assert_eq!((extremes[0], extremes[2], extremes[4]), (0.0, 60.0, 1e30));
    assert!(extremes[3].abs() < 1e-30 && extremes[5].abs() < 1e-6);
}

#[test]
fn row_functions_have_the_same_bits_everywhere() {
    let simds = all();
    for width in [1, 15, 16, 33, 192, 1000] {
        let (x, weight) = (floats(7, 3 * width), floats(8, width));
        let run = |simd| {
            let (mut norm, mut silu) = (vec![0f32; 3 * width], vec![0f32; width]);
            rms_norm(simd, &x, &weight, 1e-5, &mut norm);
            silu_mul(simd, &x[..2 * width], &mut silu);
            (
                bits(&norm),
                bits(&silu),
                digest_row(simd, &x),
                argmax(simd, &x),
            )
        };
        let expected = run(simds[0]);
        for simd in &simds[1..] {
            assert_eq!(run(*simd), expected, "{simd:?} width {width}");
        }
        let best = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        assert_eq!(
            expected.3,
            (x.iter().position(|v| *v == best).unwrap(), best)
        );
    }
}

#[test]
fn attention_agrees_with_the_textbook_and_itself() {
    let simds = all();
    for (heads, head_dim, len) in [(1, 16, 1), (3, 64, 33), (4, 40, 64), (7, 32, 95)] {
        let part = BlockPart {
            offset: 5,
            head_dim,
        };
        let block = 5 + BlockPart::len(head_dim);
        // What lies beyond `len` must not matter, not even if it isn't a number.
        let mut blocks: Vec<Box<[f32]>> = (0..4).map(|_| vec![f32::NAN; block].into()).collect();
        let table = [2, 0, 3, 1];
        let (keys, values) = (floats(1, len * head_dim), floats(2, len * head_dim));
        for p in 0..len {
            let range = p * head_dim..(p + 1) * head_dim;
            let block = &mut blocks[table[p / BLOCK] as usize];
            part.write(block, p % BLOCK, &keys[range.clone()], &values[range]);
        }
        let queries = floats(3, heads * head_dim);
        let run = |simd| {
            let mut out = vec![0f32; heads * head_dim];
            let (queries, table, scores) = (&queries[..], &table[..], &mut Vec::new());
            let job = Attention {
                queries,
                blocks: &blocks,
                table,
                part,
                len,
                scores,
                out: &mut out,
            };
            attend(simd, job);
            out
        };
        let out = run(simds[0]);
        for simd in &simds[1..] {
            assert_eq!(bits(&run(*simd)), bits(&out));
        }
        for h in 0..heads {
            let q = &queries[h * head_dim..][..head_dim];
            let dot = |p: usize| {
                let k = &keys[p * head_dim..][..head_dim];
                q.iter().zip(k).map(|(q, k)| f64::from(q * k)).sum::<f64>()
                    / (head_dim as f64).sqrt()
            };
            let weights: Vec<f64> = (0..len).map(|p| libm::exp(dot(p))).collect();
            let total: f64 = weights.iter().sum();
            for i in 0..head_dim {
                let sum = |p: usize| weights[p] * f64::from(values[p * head_dim + i]);
                let expected = (0..len).map(sum).sum::<f64>() / total;
                assert!((expected - f64::from(out[h * head_dim + i])).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn bf16_rounds_to_nearest_even() {
    for (value, bits) in [
        (1.0f32, 0x3f80),
        (1.003_906_2, 0x3f80),
        (1.011_718_8, 0x3f82),
    ] {
        assert_eq!(Bf16::narrow(value).0, bits);
    }
}
