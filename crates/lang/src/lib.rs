//! Chinese text as pure functions.
//!
//! | module | what |
//! |---|---|
//! | [`token`] | tokens for lexical search |
//! | [`sentence`] | sentences and the parts they are made of |
//! | [`numeral`] | Chinese numerals and amounts to numbers and back |
//! | [`date`] | dates in running text |
//! | [`identifier`] | identity numbers, bank cards, credit codes and telephone numbers |

pub mod date;
pub mod identifier;
pub mod numeral;
pub mod sentence;
pub mod token;
