/// What a file may cost at most. Everything beyond is refused with `TooLarge` or `UnsafeFile`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file, and of one unpacked archive entry.
    pub file_bytes: u64,
    /// Entries of one archive, those of an archive within it included.
    pub archive_entries: usize,
    /// Bytes of all unpacked entries of one archive together.
    pub archive_bytes: u64,
    /// Unpacked ÷ packed bytes of one entry, checked once more than 1 MiB is unpacked.
    pub entry_ratio: u64,
    /// Depth of nested elements in XML and HTML.
    pub xml_depth: usize,
    /// Characters of the text of one document.
    pub characters: usize,
    /// Cells with text of one spreadsheet.
    pub cells: usize,
    /// Pictures of one document.
    pub pictures: usize,
    /// Bytes of one picture.
    pub picture_bytes: u64,
    /// Bytes of all pictures within one document.
    pub pictures_bytes: u64,
    /// Pages of one PDF.
    pub pages: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 64 << 20,
            archive_entries: 20_000,
            archive_bytes: 2 << 30,
            entry_ratio: 200,
            xml_depth: 256,
            characters: 5_000_000,
            cells: 2_000_000,
            pictures: 300,
            picture_bytes: 8 << 20,
            pictures_bytes: 48 << 20,
            pages: 5_000,
        }
    }
}
