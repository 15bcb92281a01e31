//! Server-sent events as endpoints send them: the payloads of `data` lines, however the bytes are cut.

use serde::de::IgnoredAny;

/// The longest line that is read.
const LONGEST_LINE: usize = 1 << 20;
/// The most lines of one payload; services send one.
const MOST_LINES: usize = 64;

/// What makes a stream unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SseFault {
    /// A line or a payload is longer than any event is.
    TooLong,
    /// A line is not UTF-8.
    NotText,
}

/// Finds payloads in pieces of a stream.
#[derive(Debug, Default)]
pub(crate) struct SseParser {
    line: Vec<u8>,
    /// The last line ended with a carriage return, so that a line feed that follows belongs to it.
    returned: bool,
    data: Option<String>,
    /// How many lines `data` has.
    lines: usize,
}

impl SseParser {
    /// Takes in some bytes and returns the payloads that are whole now.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, SseFault> {
        let mut payloads = Vec::new();
        for piece in bytes.split_inclusive(|b| matches!(b, b'\n' | b'\r')) {
            let after_return = std::mem::take(&mut self.returned);
            if after_return && piece == b"\n" && self.line.is_empty() {
                continue;
            }
            let (text, end) = match piece.split_last() {
                Some((end @ (b'\n' | b'\r'), text)) => (text, Some(*end)),
                _ => (piece, None),
            };
            self.line.extend(text);
            if self.line.len() > LONGEST_LINE {
                return Err(SseFault::TooLong);
            }
            if let Some(end) = end {
                self.returned = end == b'\r';
                self.end_of_line(&mut payloads)?;
            }
        }
        Ok(payloads)
    }

    /// The payload that the stream's end leaves behind.
    pub(crate) fn finish(mut self) -> Result<Vec<String>, SseFault> {
        let mut payloads = Vec::new();
        self.end_of_line(&mut payloads)?;
        payloads.extend(self.data.take());
        Ok(payloads)
    }

    fn end_of_line(&mut self, payloads: &mut Vec<String>) -> Result<(), SseFault> {
        let line = std::mem::take(&mut self.line);
        let line = str::from_utf8(&line).map_err(|_| SseFault::NotText)?;
        let line = line.trim_start_matches('\u{feff}');
        if line.is_empty() {
            payloads.extend(self.data.take());
            return Ok(());
        }
        // Comments have no name; other fields say nothing here.
        let Some(value) = line.strip_prefix("data") else {
            return Ok(());
        };
        let value = match value.strip_prefix(':') {
            Some(value) => value.strip_prefix(' ').unwrap_or(value),
            None if value.is_empty() => "",
            None => return Ok(()),
        };
        self.lines += 1;
        let data = match self.data.take() {
            Some(data) if !is_whole(&data) => data + "\n" + value,
            before => {
                // Some services forget the blank line between events.
                payloads.extend(before);
                self.lines = 1;
                value.to_owned()
            }
        };
        if data.len() > LONGEST_LINE || self.lines > MOST_LINES {
            return Err(SseFault::TooLong);
        }
        self.data = Some(data);
        Ok(())
    }
}

fn is_whole(data: &str) -> bool {
    data.trim() == "[DONE]" || serde_json::from_str::<IgnoredAny>(data).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(stream: &[u8], cuts: &[usize]) -> Result<Vec<String>, SseFault> {
        let mut parser = SseParser::default();
        let mut payloads = Vec::new();
        let mut from = 0;
        for cut in cuts.iter().copied().chain([stream.len()]) {
            payloads.extend(parser.push(&stream[from..cut])?);
            from = cut;
        }
        payloads.extend(parser.finish()?);
        Ok(payloads)
    }

    #[test]
    fn line_ends_comments_and_other_fields_make_no_difference() {
        let want = vec![r#"{"a":"城市"}"#.to_owned(), "[DONE]".to_owned()];
        for stream in [
            "data: {\"a\":\"城市\"}\n\ndata: [DONE]\n\n",
            "data:{\"a\":\"城市\"}\r\n\r\ndata:[DONE]\r\n\r\n",
            "data: {\"a\":\"城市\"}\r\rdata: [DONE]\r\r",
            "\u{feff}: ping\nevent: x\nid: 1\nretry: 5\ndata: {\"a\":\"城市\"}\n\n: ping\n\ndata: [DONE]",
            "data: {\"a\":\"城市\"}\ndata: [DONE]\n",
        ] {
            assert_eq!(read(stream.as_bytes(), &[]).unwrap(), want, "{stream:?}");
        }
    }

    #[test]
    fn a_payload_may_have_several_lines() {
        let stream = b"data: {\"a\":\ndata: 1}\n\ndata\n\n";
        assert_eq!(read(stream, &[]).unwrap(), ["{\"a\":\n1}", ""]);
    }

    #[test]
    fn what_is_no_text_or_too_long_is_refused() {
        assert_eq!(read(b"data: \xff\n", &[]), Err(SseFault::NotText));
        let endless = vec![b'x'; LONGEST_LINE + 1];
        assert_eq!(read(&endless, &[]), Err(SseFault::TooLong));
        let many = b"data: [1,\n".repeat(MOST_LINES + 1);
        assert_eq!(read(&many, &[]), Err(SseFault::TooLong));
    }

    proptest! {
        #[test]
        fn it_makes_no_difference_where_the_stream_is_cut(
            mut cuts in prop::collection::vec(0_usize..88, 0..12),
            end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        ) {
            let stream = format!("data: {{\"文\":\"数字政府😀\"}}{end}{end}: c{end}data: 1{end}data: 二{end}{end}data: [DONE]{end}{end}");
            let stream = stream.as_bytes();
            cuts.iter_mut().for_each(|cut| *cut = (*cut).min(stream.len()));
            cuts.sort_unstable();
            prop_assert_eq!(read(stream, &cuts), read(stream, &[]));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes, &[]);
        }
    }
}
