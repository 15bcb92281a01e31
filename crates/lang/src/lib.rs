//! Chinese text as pure functions.
//!
//! | module | what |
//! |---|---|
//! | [`token`] | tokens for lexical search |
//! | [`sentence`] | sentences and the parts they are made of |
//! | [`numeral`] | Chinese numerals and amounts to numbers and back |
//! | [`date`] | dates in running text |
//! | [`fold`] | text without its disguises, for recognition |
//! | [`identifier`] | identity numbers, bank cards, credit codes and telephone numbers |
//! | [`personal`] | personal data in text, and how it is masked |
//! | [`spot`] | words and their combinations in folded text |

pub mod date;
pub mod fold;
pub mod identifier;
pub mod numeral;
pub mod personal;
pub mod sentence;
pub mod spot;
pub mod token;
