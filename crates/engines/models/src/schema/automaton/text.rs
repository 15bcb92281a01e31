//! The inside of a JSON string, byte by byte.

/// A string that has begun.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Text {
    count: usize,
    least: usize,
    most: usize,
    escaped: bool,
    /// So many more bytes of a character, the next of which lies between two bounds.
    more: (u8, u8, u8),
}

impl Text {
    /// After the quote at its beginning.
    pub(super) fn new(least: usize, most: usize) -> Self {
        Self {
            count: 0,
            least,
            most,
            escaped: false,
            more: (0, 0, 0),
        }
    }

    /// With another byte: `Some(None)` if that ends it, `None` if it can't come.
    pub(super) fn after(mut self, byte: u8) -> Option<Option<Self>> {
        let (more, low, high) = self.more;
        if more > 0 {
            self.more = (more - 1, 0x80, 0xbf);
            return (low..=high).contains(&byte).then_some(Some(self));
        }
        if self.escaped {
            self.escaped = false;
            self.count += 1;
            return b"\"\\/bfnrt".contains(&byte).then_some(Some(self));
        }
        if byte == b'"' {
            return (self.count >= self.least).then_some(None);
        }
        if self.count == self.most {
            return None;
        }
        if byte == b'\\' {
            self.escaped = true;
            return Some(Some(self));
        }
        // The bytes of UTF-8 (RFC 3629, section 4).
        self.more = match byte {
            0x20..=0x7f => (0, 0, 0),
            0xc2..=0xdf => (1, 0x80, 0xbf),
            0xe0 => (2, 0xa0, 0xbf),
            0xed => (2, 0x80, 0x9f),
            0xe1..=0xef => (2, 0x80, 0xbf),
            0xf0 => (3, 0x90, 0xbf),
            0xf1..=0xf3 => (3, 0x80, 0xbf),
            0xf4 => (3, 0x80, 0x8f),
            _ => return None,
        };
        self.count += 1;
        Some(Some(self))
    }
}
