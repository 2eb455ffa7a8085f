//! What a server's own metrics say: how far it is, and how many requests wait there.

/// Counters that rise when anything is computed: tokens, steps.
const PROGRESS: [&str; 8] = [
    "vllm:generation_tokens_total",
    "vllm:prompt_tokens_total",
    "vllm:iteration_tokens_total_sum",
    "llamacpp:tokens_predicted_total",
    "llamacpp:prompt_tokens_total",
    "llamacpp:n_decode_total",
    "sglang:generation_tokens_total",
    "sglang:prompt_tokens_total",
];
/// Levels that move while anything is computed. vLLM counts a prompt's tokens only when all of it is read, which
/// takes long for a long one; meanwhile the share of its cache that is in use grows with every step.
const LEVELS: [&str; 3] = [
    "vllm:kv_cache_usage_perc",
    "vllm:num_requests_running",
    "sglang:token_usage",
];
/// Requests that aren't worked on yet.
const WAITING: [&str; 3] = [
    "vllm:num_requests_waiting",
    "llamacpp:requests_deferred",
    "sglang:num_queue_reqs",
];

/// A server's metrics, as far as we care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Metrics {
    /// Changes with every step.
    pub(super) progress: u64,
    /// Requests in its queue.
    pub(super) waiting: usize,
}

/// Reads Prometheus' text; nothing if there is nothing of it that we know.
pub(super) fn read(text: &str) -> Option<Metrics> {
    let mut found = None;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        let (counts, is_level) = (PROGRESS.contains(&name), LEVELS.contains(&name));
        if !counts && !is_level && !WAITING.contains(&name) {
            continue;
        }
        let rest = line.rsplit('}').next().unwrap_or_default();
        let rest = rest.strip_prefix(name).unwrap_or(rest);
        let value = rest
            .split_whitespace()
            .next()
            .and_then(|text| text.parse::<f64>().ok());
        let Some(value) = value else { continue };
        let metrics = found.get_or_insert(Metrics {
            progress: 0,
            waiting: 0,
        });
        if counts {
            metrics.progress = metrics.progress.wrapping_add(value as u64);
        } else if is_level {
            metrics.progress = metrics.progress.wrapping_add(value.to_bits());
        } else {
            metrics.waiting = metrics.waiting.saturating_add(value as usize);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metrics_of_both_programs_are_read_and_others_passed_over() {
        let vllm = "# HELP vllm:num_requests_waiting Number\n# TYPE vllm:num_requests_waiting gauge\n\
            vllm:num_requests_waiting{engine=\"0\",model_name=\"a b}\"} 3.0\n\
            vllm:num_requests_waiting{engine=\"1\",model_name=\"m\"} 2.0\n\
            vllm:generation_tokens_total{engine=\"0\"} 1.5e+03\nvllm:prompt_tokens_total 40.0 1700000000\n";
        let expected = Metrics {
            progress: 1_540,
            waiting: 5,
        };
        assert_eq!(read(vllm), Some(expected));
        let llama = "llamacpp:tokens_predicted_total 7\nllamacpp:requests_deferred 1\n";
        let expected = Metrics {
            progress: 7,
            waiting: 1,
        };
        assert_eq!(read(llama), Some(expected));
        assert_eq!(read("python_gc_objects 3\nnonsense"), None);
    }

    #[test]
    fn a_long_prompt_shows_progress_before_its_tokens_are_counted() {
        // vLLM 0.32 in the middle of 7,026 tokens: everything else stood still for nine seconds
        let step = |usage: &str| {
            read(&format!(
                "vllm:prompt_tokens_total{{engine=\"0\"}} 14018.0\nvllm:num_requests_running{{engine=\"0\"}} 1.0\n\
                 vllm:kv_cache_usage_perc{{engine=\"0\"}} {usage}\n"
            ))
            .map(|metrics| metrics.progress)
        };
        assert_ne!(step("0.004885496183206106"), step("0.009770992366412212"));
        assert_eq!(step("0.004885496183206106"), step("0.004885496183206106"));
    }
}
