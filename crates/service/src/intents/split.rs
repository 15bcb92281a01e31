//! Several questions in one message.

/// What a question has in it.
const ASKING: [&str; 30] = [
    "吗",
    "呢",
    "怎么",
    "怎样",
    "如何",
    "多少",
    "哪",
    "什么",
    "啥",
    "咋",
    "几",
    "能不能",
    "可不可以",
    "可以不",
    "行不",
    "要不要",
    "是不是",
    "有没有",
    "是否",
    "该不该",
    "会不会",
    "需不需要",
    "能否",
    "多久",
    "多长",
    "何时",
    "谁",
    "不？",
    "不?",
    "么？",
];

/// Words with which people go on to the next question.
const MOVING_ON: [&str; 12] = [
    "另外",
    "还有",
    "顺便问",
    "顺便",
    "再问",
    "还想问",
    "其次",
    "第二个",
    "第二",
    "以及",
    "同时",
    "对了",
];

/// The fewest characters of a question of its own.
const LEAST: usize = 5;

/// The questions of a message, in order, each with what was said before it. One for a message that asks one thing.
pub fn questions(message: &str) -> Vec<String> {
    let (mut out, mut said) = (Vec::new(), String::new());
    for sentence in sentences(message) {
        said.push_str(sentence);
        let asks = ends_as_question(sentence) || ASKING.iter().any(|word| sentence.contains(word));
        if asks && said.chars().count() >= LEAST {
            out.push(std::mem::take(&mut said));
        }
    }
    match out.last_mut() {
        Some(last) => last.push_str(&said),
        None => out.push(said),
    }
    out.iter_mut().for_each(|q| *q = bare(q).to_owned());
    out.retain(|q| !q.is_empty());
    out
}

/// Sentences, and clauses that begin with a word that moves on.
fn sentences(message: &str) -> Vec<&str> {
    let (mut out, mut start) = (Vec::new(), 0);
    for (place, c) in message.char_indices() {
        let end = place + c.len_utf8();
        let rest = &message[end..];
        let ends = matches!(c, '。' | '？' | '?' | '！' | '!' | '；' | ';' | '\n');
        let moves = matches!(c, '，' | ',' | ' ')
            && MOVING_ON.iter().any(|w| rest.trim_start().starts_with(w));
        if ends || moves {
            out.push(&message[start..end]);
            start = end;
        }
    }
    if start < message.len() {
        out.push(&message[start..]);
    }
    out
}

fn ends_as_question(sentence: &str) -> bool {
    sentence.trim_end().ends_with(['？', '?'])
}

/// Without the words that only move on.
fn bare(question: &str) -> &str {
    let mut text = question.trim_matches(|c: char| c.is_whitespace() || "，,；;。".contains(c));
    for word in MOVING_ON {
        if let Some(rest) = text.strip_prefix(word) {
            text = rest.trim_start_matches(['，', ',', '：', ':', ' ']);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_told_apart_and_what_was_said_stays_with_them() {
        for (message, wanted) in [
            ("公积金怎么提？", vec!["公积金怎么提？"]),
            (
                "我在外面租房。公积金能取吗",
                vec!["我在外面租房。公积金能取吗"],
            ),
            (
                "公积金怎么提？社保卡丢了怎么补？",
                vec!["公积金怎么提？", "社保卡丢了怎么补？"],
            ),
            (
                "公积金怎么提，另外社保卡丢了怎么补",
                vec!["公积金怎么提", "社保卡丢了怎么补"],
            ),
            ("你好", vec!["你好"]),
            ("想租房提公积金。谢谢", vec!["想租房提公积金。谢谢"]),
        ] {
            assert_eq!(questions(message), wanted, "{message}");
        }
    }
}
