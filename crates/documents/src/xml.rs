//! A guarded walk over XML: no document type, no entities of one's own, no bottomless nesting.

use kernel::Result;
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event as Raw};

use crate::fault;
use crate::limits::Limits;

/// An element's start.
pub(crate) struct Tag<'a> {
    /// Without its prefix.
    pub(crate) name: &'a str,
    attributes: Vec<(String, String)>,
}

impl Tag<'_> {
    /// The attribute's value; the name is without prefix.
    pub(crate) fn attr(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// All attributes, names without prefix.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// An on/off property: present and not switched off.
    pub(crate) fn is_on(&self) -> bool {
        !matches!(self.attr("val"), Some("0" | "false" | "off" | "none"))
    }
}

/// What the walk meets. An empty element is opened and closed.
pub(crate) enum Event<'a> {
    Open(&'a Tag<'a>),
    Text(&'a str),
    Close(&'a str),
}

fn attributes(start: &BytesStart<'_>) -> Vec<(String, String)> {
    start
        .attributes()
        .flatten()
        .map(|a| {
            let value = a
                .normalized_value(XmlVersion::default())
                .map_or_else(|_| String::new(), |v| v.into_owned());
            (a.key.local_name().as_ref().to_owned(), value)
        })
        .collect()
}

/// Walks over the whole text.
pub(crate) fn walk(
    name: &str,
    text: &str,
    limits: &Limits,
    visit: &mut dyn FnMut(Event<'_>),
) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let mut reader = Reader::from_str(text);
    let mut depth = 0usize;
    loop {
        let event = reader
            .read_event()
            .map_err(|e| fault::damaged(name, "XML 内容不完整或格式有误").with_detail(e))?;
        match event {
            Raw::Start(start) => {
                depth += 1;
                if depth > limits.xml_depth {
                    return Err(fault::unsafe_file(
                        name,
                        &format!("XML 嵌套超过 {} 层", limits.xml_depth),
                    ));
                }
                visit(Event::Open(&Tag {
                    name: start.local_name().as_ref(),
                    attributes: attributes(&start),
                }));
            }
            Raw::Empty(start) => {
                let local = start.local_name();
                visit(Event::Open(&Tag {
                    name: local.as_ref(),
                    attributes: attributes(&start),
                }));
                visit(Event::Close(local.as_ref()));
            }
            Raw::End(end) => {
                depth = depth.saturating_sub(1);
                visit(Event::Close(end.local_name().as_ref()));
            }
            Raw::Text(text) => visit(Event::Text(&text)),
            Raw::CData(text) => visit(Event::Text(&text)),
            Raw::GeneralRef(reference) => {
                let known = match &*reference {
                    "amp" => Some('&'),
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "quot" => Some('"'),
                    "apos" => Some('\''),
                    _ => reference.resolve_char_ref().ok().flatten(),
                };
                let c = known.ok_or_else(|| fault::unsafe_file(name, "XML 里有自定义实体"))?;
                visit(Event::Text(c.encode_utf8(&mut [0; 4])));
            }
            Raw::DocType(_) => {
                return Err(fault::unsafe_file(
                    name,
                    "XML 里有文档类型声明（DTD），可能引用外部实体",
                ));
            }
            Raw::Eof if depth > 0 => return Err(fault::damaged(name, "XML 内容不完整")),
            Raw::Eof => return Ok(()),
            Raw::Comment(_) | Raw::PI(_) | Raw::Decl(_) => {}
        }
    }
}
