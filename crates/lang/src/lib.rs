//! Chinese text as pure functions.
//!
//! | module | what |
//! |---|---|
//! | [`token`] | tokens for lexical search |
//! | [`sentence`] | sentences and the parts they are made of |
//! | [`numeral`] | Chinese numerals and amounts to numbers and back |
//! | [`date`] | dates in running text |
//! | [`fold`] | text without its disguises, for recognition |
//! | [`spot`] | words and their combinations in folded text |
//! | [`personal`] | personal data in text, and how it is masked |

pub mod date;
pub mod fold;
pub mod numeral;
pub mod personal;
pub mod sentence;
pub mod spot;
pub mod token;
