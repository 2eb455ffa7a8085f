//! What lies in a model's folder, and what models write.

use super::{Memory, Target, texts};
use atoma_engine::fuzzing;

const CONVERSATION: &str = r#"{"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}}]},{"role":"tool","content":"3"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"chat_template_kwargs":{"enable_thinking":true}}"#;

pub(super) const CHAT_TEMPLATE: Target = Target {
    name: "chat_template",
    seeds: || {
        let templates = [
            "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + (message.content or '') | trim + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
            "{{- bos_token }}{%- set ns = namespace(n=0) -%}{% for m in messages if m.role != 'system' %}{% set ns.n = ns.n + 1 %}{{ loop.index0 }}{{ m | tojson(indent=2) }}{% if loop.last %}{% break %}{% endif %}{% endfor %}{{ ns.n }}",
            "{% macro call(c) %}{{ c.function.name }}{{ c.function.arguments | tojson }}{% endmacro %}{% if tools is iterable and tools %}{% for t in tools %}{{ t.function.parameters.items() | list }}{% endfor %}{% endif %}{% for m in messages %}{% if m.tool_calls is defined and m.tool_calls %}{{ call(m.tool_calls[0]) }}{% endif %}{% endfor %}",
            "{{ strftime_now('%d %b %Y') }}{{ messages[0].content.split(' ')[-1].upper()[::-1] }}{{ 'a-b'.rsplit('-', 1) }}{{ messages | length }}{{ 'x' * 3 }}{{ raise_exception('no') }}",
            "{% generation %}{{ messages[1:] | map(attribute='role') | join(', ') }}{% endgeneration %}{{ enable_thinking | default(false) }}{{ {'a': [1, 2.5, none, true]} }}{{ '%s' | format(1) }}{{ range(3) | list }}{{ dict(a=1) }}",
        ];
        templates
            .map(|template| format!("{template}\0{CONVERSATION}").into_bytes())
            .to_vec()
    },
    check: fuzzing::chat_template,
    max_bytes: 2_500,
    memory: Memory {
        fixed: 16 << 20,
        per_byte: 4_096,
    },
    mutants: 1_500,
};

pub(super) const TOOL_CALLS: Target = Target {
    name: "tool_calls",
    seeds: || {
        texts([
            "\x14Let me see.<tool_call>\n{\"name\": \"f\", \"arguments\": {\"b\": 1}}\n</tool_call>\n<tool_call>{\"name\":\"g\",\"arguments\":{}}</tool_call>",
            "\x09{\"name\": \"f\", \"parameters\": {\"a\": 1}}",
            "\x30 [{\"name\": \"f\", \"arguments\": {}}, {\"name\": \"g\", \"arguments\": {\"x\": []}}]",
            "\x03a < b <tool_call> never closed",
        ])
    },
    check: fuzzing::tool_calls,
    max_bytes: 2_000,
    memory: Memory::TREE,
    mutants: 20_000,
};

pub(super) const MODEL_CONFIG: Target = Target {
    name: "model_config",
    seeds: || {
        let ours = include_str!("../../../../models/atoma-tiny/config.json");
        let generation = include_str!("../../../../models/atoma-tiny/generation_config.json");
        let scaled = r#"{"model_type":"llama","hidden_size":64,"intermediate_size":128,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":16,"vocab_size":100,"rms_norm_eps":1e-5,"max_position_embeddings":131072,"rope_theta":500000.0,"rope_scaling":{"rope_type":"KIND","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":8192,"beta_fast":32,"beta_slow":1,"mscale":1.0,"mscale_all_dim":1.0},"sliding_window":4096,"use_sliding_window":true,"eos_token_id":[1,2]}"#;
        let mut seeds = vec![format!("{ours}\0{generation}").into_bytes()];
        for kind in ["llama3", "yarn", "linear", "dynamic", "default"] {
            seeds.push(scaled.replace("KIND", kind).into_bytes());
        }
        seeds.extend(texts([
            r#"{"do_sample":true,"temperature":0.6,"top_p":0.9,"top_k":50,"min_p":0.1,"eos_token_id":2}"#,
        ]));
        seeds
    },
    check: fuzzing::model_config,
    max_bytes: 2_000,
    // a head of the largest size has as many angles
    memory: Memory {
        fixed: 16 << 20,
        per_byte: 512,
    },
    mutants: 20_000,
};

pub(super) const CHECKPOINT: Target = Target {
    name: "checkpoint",
    seeds: || {
        let header = r#"{"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]},"__metadata__":{"format":"pt"}}"#;
        let mut weights = (header.len() as u64).to_le_bytes().to_vec();
        weights.extend(header.as_bytes());
        weights.extend([0; 12]);
        let mut seeds = texts([
            r#"{"metadata":{"total_size":8},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"x.safetensors"}}"#,
            r#"{"weight_map":{"a":"../../etc/passwd"}}"#,
            "model-00001-of-00001.safetensors",
        ]);
        seeds.push(weights);
        seeds
    },
    check: fuzzing::checkpoint,
    max_bytes: 2_000,
    memory: Memory::TREE,
    mutants: 25_000,
};

pub(super) const TOKENIZER: Target = Target {
    name: "tokenizer",
    seeds: || {
        texts([
            r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[{"id":0,"content":"<s>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],"normalizer":{"type":"NFC"},"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},"post_processor":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false,"use_regex":true},"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},"model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"ignore_merges":false,"vocab":{"<s>":0,"H":1,"e":2,"l":3,"o":4,"He":5,"ll":6},"merges":[["H","e"],["l","l"]]}}"#,
            r#"{"version":"1.0","added_tokens":[],"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"x"},{"type":"Replace","pattern":{"String":" "},"content":"_"}]},"pre_tokenizer":{"type":"Split","pattern":{"Regex":"\\s+|\\w+"},"behavior":"Isolated","invert":false},"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[0],"tokens":["<s>"]}}},"decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"\u0023\u0023","max_input_chars_per_word":100,"vocab":{"[UNK]":0,"Hello":1,",":2}}}"#,
            r#"{"added_tokens":[],"pre_tokenizer":{"type":"Metaspace","replacement":"_","prepend_scheme":"always"},"decoder":{"type":"Metaspace","replacement":"_"},"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0.0],["_",-1.0],["H",-2.5],["<0x0A>",-3.0]],"byte_fallback":true}}"#,
        ])
    },
    check: fuzzing::tokenizer,
    max_bytes: 2_500,
    memory: Memory {
        fixed: 8 << 20,
        per_byte: 4_096,
    },
    mutants: 1_500,
};

pub(super) const ANSWER_SCHEMA: Target = Target {
    name: "answer_schema",
    seeds: || {
        texts([
            r#"{"type":"object","properties":{"name":{"type":"string","minLength":1,"maxLength":8},"n":{"type":"integer","minimum":0,"maximum":9}},"required":["name"],"additionalProperties":false}"#,
            r##"{"$defs":{"t":{"type":"array","items":{"$ref":"#/$defs/t"},"maxItems":3}},"$ref":"#/$defs/t"}"##,
            r#"{"anyOf":[{"enum":["a","b"]},{"const":1.5},{"type":"string","pattern":"^[a-z]{2,4}$"},{"type":"string","format":"date"}]}"#,
            "true",
        ])
    },
    check: fuzzing::answer_schema,
    max_bytes: 600,
    memory: Memory {
        fixed: 64 << 20,
        per_byte: 64 << 10,
    },
    mutants: 60,
};
