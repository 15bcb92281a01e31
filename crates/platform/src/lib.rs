//! 底座: what every product's conversation stands on.
//!
//! | module | what |
//! |---|---|
//! | [`answer`] | an answer with its evidence, as every door gives it |
//! | [`sessions`] | conversations, kept for who had them |
//! | [`trace`] | how an answer came about, step by step |
//! | [`events`] | what happened is handled: once in effect, in order per subject |
//! | [`capabilities`] | what the outside can do with conversations and traces |

pub mod answer;
pub mod capabilities;
pub mod events;
pub mod sessions;
pub mod trace;
