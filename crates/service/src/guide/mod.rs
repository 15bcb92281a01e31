//! 多轮办事引导: a dialogue that asks only what is still needed and ends in a filled form or in reasons.
//!
//! | module | what |
//! |---|---|
//! | [`answers`] | what a citizen's words say about a field |
//! | [`hearing`] | what a message is: an answer, several, a correction, a question aside, a command |
//! | [`dialogue`] | the state of a dialogue and its next question |
//! | [`desk`] | dialogues of conversations, stored; from an offer to a handed-in case |
//! | [`view`] | the dialogue as every door shows it |

pub mod answers;
pub mod desk;
pub mod dialogue;
pub mod hearing;
pub mod view;

pub use desk::GuideDesk;
pub use dialogue::{Dialogue, Phase};
pub use hearing::Heard;
