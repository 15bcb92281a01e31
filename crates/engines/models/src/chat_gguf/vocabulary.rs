//! Text to tokens and back, with the vocabulary that the weights carry, and conversations as the Qwen family writes them.

use candle_core::{
    Result, bail,
    quantized::{
        gguf_file::{Content, Value},
        tokenizer::TokenizerFromGguf,
    },
};
use kernel::models::{Message, Role};
use tokenizers::Tokenizer;

use super::weights::Family;

/// What `tokenizer.ggml.token_type` calls a token that stands for text.
const NORMAL: i64 = 1;

/// A vocabulary.
pub(super) struct Vocabulary {
    tokenizer: Tokenizer,
    /// The bytes of all tokens one after another; none for those that stand for no text.
    bytes: Vec<u8>,
    /// Where in `bytes` each token ends.
    ends: Vec<u32>,
    begin: u32,
    end: u32,
    /// After any of these a reply is over.
    ends_reply: Vec<u32>,
    family: Family,
}

fn list<'c>(content: &'c Content, key: &str) -> Result<&'c [Value]> {
    match content.metadata.get(key) {
        Some(Value::Array(values)) => Ok(values),
        _ => bail!("no list {key}"),
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::U32(n) => Some(i64::from(*n)),
        Value::I32(n) => Some(i64::from(*n)),
        Value::U64(n) => i64::try_from(*n).ok(),
        Value::I64(n) => Some(*n),
        _ => None,
    }
}

/// Byte-level vocabularies write each byte as a letter (A. Radford et al., GPT-2): those that can be seen as themselves, the
/// others in order from 256 on.
fn letters() -> impl Fn(char) -> Option<u8> {
    let seen = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..);
    let hidden: Vec<u8> = (0..=255).filter(|byte| !seen(*byte)).collect();
    move |letter| {
        let code = u32::from(letter);
        match u8::try_from(code) {
            Ok(byte) => seen(byte).then_some(byte),
            Err(_) => hidden.get(code as usize - 256).copied(),
        }
    }
}

impl Vocabulary {
    /// Reads the vocabulary of a model that knows `size` tokens.
    pub(super) fn read(content: &Content, family: Family, size: usize) -> Result<Self> {
        let tokens = list(content, "tokenizer.ggml.tokens")?;
        let kinds = list(content, "tokenizer.ggml.token_type")?;
        if tokens.len() > size || kinds.len() != tokens.len() {
            bail!(
                "{} tokens, {} kinds, {size} rows",
                tokens.len(),
                kinds.len()
            );
        }
        let byte = letters();
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(tokens.len());
        let mut find = [None; 3];
        for (id, (token, kind)) in tokens.iter().zip(kinds).enumerate() {
            let token = token.to_string()?;
            let id = id as u32;
            match token.as_str() {
                "<|im_start|>" => find[0] = Some(id),
                "<|im_end|>" => find[1] = Some(id),
                "<|endoftext|>" => find[2] = Some(id),
                _ if whole(kind) == Some(NORMAL) => {
                    let written: Option<Vec<u8>> = token.chars().map(&byte).collect();
                    bytes.extend(written.unwrap_or_default());
                }
                _ => {}
            }
            ends.push(bytes.len() as u32);
        }
        let [Some(begin), Some(end), after] = find else {
            bail!("no <|im_start|> and <|im_end|>: not a chat model");
        };
        let mut tokenizer = Tokenizer::from_gguf(content)?;
        // What a person writes is text, whatever it looks like.
        tokenizer.set_encode_special_tokens(true);
        let ends_reply = [Some(end), after].into_iter().flatten().collect();
        Ok(Self {
            tokenizer,
            bytes,
            ends,
            begin,
            end,
            ends_reply,
            family,
        })
    }

    /// The tokens of a text.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>> {
        match self.tokenizer.encode_fast(text, false) {
            Ok(encoding) => Ok(encoding.get_ids().to_vec()),
            Err(error) => bail!("tokens: {error}"),
        }
    }

    /// The text of a token as bytes, which need not be whole characters; nothing for one that stands for no text.
    pub(super) fn bytes(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let from = match id.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or_default(),
            None => 0,
        };
        let to = self.ends.get(id).copied().unwrap_or(from);
        &self.bytes[from as usize..to as usize]
    }

    /// Whether a reply is over with this token.
    pub(super) fn ends_reply(&self, id: u32) -> bool {
        self.ends_reply.contains(&id)
    }

    /// A conversation, up to where the model's reply begins (ChatML).
    pub(super) fn conversation(&self, messages: &[Message]) -> Result<Vec<u32>> {
        let mut tokens = Vec::new();
        let turn = |tokens: &mut Vec<u32>, name: &str, text: &str| -> Result<()> {
            tokens.push(self.begin);
            tokens.extend(self.encode(&format!("{name}\n{text}"))?);
            tokens.push(self.end);
            tokens.extend(self.encode("\n")?);
            Ok(())
        };
        if messages
            .first()
            .is_none_or(|message| message.role != Role::System)
        {
            turn(&mut tokens, "system", "You are a helpful assistant.")?;
        }
        for message in messages {
            match message.role {
                Role::System => turn(&mut tokens, "system", &message.content)?,
                Role::User => turn(&mut tokens, "user", &message.content)?,
                Role::Assistant => turn(&mut tokens, "assistant", &message.content)?,
                Role::Tool => {
                    let text = format!("<tool_response>\n{}\n</tool_response>", message.content);
                    turn(&mut tokens, "user", &text)?;
                }
            }
        }
        tokens.push(self.begin);
        // Qwen 3 thinks first unless it finds that it has.
        let opening = match self.family {
            Family::Qwen2 => "assistant\n",
            Family::Qwen3 => "assistant\n<think>\n\n</think>\n\n",
        };
        tokens.extend(self.encode(opening)?);
        Ok(tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_stand_for_bytes() {
        let byte = letters();
        assert_eq!(byte('a'), Some(b'a'));
        assert_eq!(byte('Ġ'), Some(b' '));
        assert_eq!(byte('Ċ'), Some(b'\n'));
        assert_eq!(byte(' '), None);
        assert_eq!(byte('中'), None);
        let all = (0..=0x143).filter_map(char::from_u32).filter_map(&byte);
        let mut all: Vec<u8> = all.collect();
        all.sort_unstable();
        assert!(all.iter().copied().eq(0..=255), "each byte has one letter");
    }
}
