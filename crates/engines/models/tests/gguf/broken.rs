//! Files that are no models, or not whole, or of another kind.

use std::path::Path;

use candle_core::quantized::{GgmlDType, gguf_file::Value};
use citymind_engine_models::{GgufChat, GgufSettings};
use kernel::{Error, ErrorCode};
use proptest::prelude::*;

use crate::mini::{Mini, written};

fn open(bytes: &[u8]) -> Result<GgufChat, Error> {
    let (_folder, path) = written(bytes);
    GgufChat::open("坏", &path, &GgufSettings::default())
}

fn refused(bytes: &[u8]) -> Error {
    match open(bytes) {
        Ok(_) => panic!("it was opened"),
        Err(error) => {
            assert!(error.message.contains("坏"), "{error:?}");
            error
        }
    }
}

fn mini() -> Mini {
    Mini::new("qwen2", GgmlDType::Q8_0)
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_damaged() {
    let bytes = mini().bytes();
    for cut in (0..bytes.len())
        .step_by(bytes.len() / 97)
        .chain([bytes.len() - 1])
    {
        let error = refused(&bytes[..cut]);
        assert_eq!(error.code, ErrorCode::DamagedFile, "{cut}: {error:?}");
    }
    assert!(open(&bytes).is_ok());
}

#[test]
fn what_is_no_model_is_said_to_be_none() {
    for bytes in [&b""[..], b"GGUF", b"%PDF-1.7", &[0; 4096], &[0xff; 4096]] {
        assert_eq!(refused(bytes).code, ErrorCode::DamagedFile);
    }
    let missing = GgufChat::open(
        "坏",
        Path::new("/nowhere/model.gguf"),
        &GgufSettings::default(),
    );
    let error = missing.err().unwrap();
    assert_eq!(error.code, ErrorCode::ModelUnavailable);
    assert!(error.message.contains("/nowhere/model.gguf"), "{error:?}");
    let folder = tempfile::tempdir().unwrap();
    assert!(GgufChat::open("坏", folder.path(), &GgufSettings::default()).is_err());
}

#[test]
fn other_architectures_are_named() {
    for name in ["llama", "gemma3", ""] {
        let mut mini = mini();
        mini.metadata[0].1 = Value::String(name.into());
        let error = refused(&mini.bytes());
        assert_eq!(error.code, ErrorCode::UnsupportedFormat, "{error:?}");
        assert!(
            error.message.contains(name) && error.message.contains("qwen2"),
            "{error:?}"
        );
    }
}

#[test]
fn what_does_not_fit_together_is_damaged() {
    // Each of the tensors and of the things that the file must say missing in turn. A bias may be absent, and the table of
    // tokens may serve both ends; how positions turn has a usual value.
    let whole = mini();
    for (at, (name, _)) in whole.tensors.iter().enumerate() {
        let mut without = mini();
        without.tensors.remove(at);
        let may = name.ends_with(".bias") || name == "output.weight";
        assert_eq!(open(&without.bytes()).is_ok(), may, "{name}");
    }
    for (at, (name, _)) in whole.metadata.iter().enumerate() {
        let mut without = mini();
        without.metadata.remove(at);
        let may = [
            "rope.freq_base",
            "attention.key_length",
            "tokenizer.ggml.pre",
        ];
        let may = may.iter().any(|end| name.ends_with(end));
        assert_eq!(open(&without.bytes()).is_ok(), may, "{name}");
    }
    for (name, value) in [
        ("qwen2.block_count", Value::U32(3)),
        ("qwen2.block_count", Value::U32(u32::MAX)),
        ("qwen2.embedding_length", Value::U32(0)),
        ("qwen2.attention.head_count", Value::U32(5)),
        ("qwen2.attention.head_count_kv", Value::U32(3)),
        ("qwen2.attention.key_length", Value::U32(15)),
        (
            "qwen2.attention.layer_norm_rms_epsilon",
            Value::F32(f32::NAN),
        ),
        ("tokenizer.ggml.tokens", Value::Array(vec![])),
        ("tokenizer.ggml.token_type", Value::String("x".into())),
    ] {
        let mut other = mini();
        let place = other.metadata.iter_mut().find(|(key, _)| key == name);
        place.unwrap().1 = value;
        assert_eq!(
            refused(&other.bytes()).code,
            ErrorCode::DamagedFile,
            "{name}"
        );
    }
}

#[test]
fn a_model_without_marks_of_turns_is_no_chat_model() {
    let mut mini = mini();
    for (key, value) in &mut mini.metadata {
        if let (true, Value::Array(tokens)) = (key == "tokenizer.ggml.tokens", value) {
            *tokens.last_mut().unwrap() = Value::String("<|end|>".into());
        }
    }
    let error = refused(&mini.bytes());
    assert!(error.detail.unwrap().contains("im_start"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn changed_bytes_are_refused_or_read_but_nothing_breaks(
        changes in prop::collection::vec((0_usize..12_000, any::<u8>()), 1..6),
    ) {
        let mut bytes = mini().bytes();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        let _ = open(&bytes);
    }
}
