//! A page of a list.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A page of a list, with the number of all items.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Page_{T}")]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// How many items there are on all pages.
    pub total: u64,
    /// Which page this is, from 1.
    pub page: u64,
    /// How many items a page holds.
    pub page_size: u64,
}

/// Which page is wanted: `page` from 1, `page_size` from 1 to 200.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct PageRequest {
    /// Which page, from 1 (default 1).
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub page: Option<u64>,
    /// How many items a page holds (default 20, at most 200).
    #[serde(default)]
    #[schemars(range(min = 1, max = 200))]
    pub page_size: Option<u64>,
}

impl PageRequest {
    /// The page, from 1.
    pub fn page(self) -> u64 {
        self.page.unwrap_or(1).clamp(1, 1_000_000)
    }

    /// The size of a page, from 1 to 200.
    pub fn size(self) -> u64 {
        self.page_size.unwrap_or(20).clamp(1, 200)
    }

    /// How many items lie before the page.
    pub fn offset(self) -> u64 {
        (self.page() - 1) * self.size()
    }

    /// The page itself.
    pub fn of<T>(self, items: Vec<T>, total: u64) -> Page<T> {
        Page {
            items,
            total,
            page: self.page(),
            page_size: self.size(),
        }
    }
}
