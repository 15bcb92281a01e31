//! Where in a YAML file a key or a value stands.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::Spanned;

/// A line and a column, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

/// A YAML document reduced to where things stand.
pub(crate) enum Node {
    Scalar,
    Sequence(Vec<Spanned<Node>>),
    Mapping(BTreeMap<String, Spanned<Node>>),
}

/// A step into a document.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Key(&'static str),
    At(usize),
}

impl Node {
    /// Where the value at a path stands; of a path that isn't there, the last part that is.
    pub(crate) fn find(root: &Spanned<Self>, path: &[Step]) -> Place {
        let mut here = root;
        for step in path {
            let next = match (step, &here.value) {
                (Step::Key(key), Self::Mapping(map)) => map.get(*key),
                (Step::At(at), Self::Sequence(list)) => list.get(*at),
                _ => None,
            };
            match next {
                Some(node) => here = node,
                None => break,
            }
        }
        Place {
            line: here.defined.line().max(1),
            column: here.defined.column().max(1),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = access.next_element()? {
            list.push(node);
        }
        Ok(Node::Sequence(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, node)) = access.next_entry::<String, Spanned<Node>>()? {
            map.insert(key, node);
        }
        Ok(Node::Mapping(map))
    }
}
