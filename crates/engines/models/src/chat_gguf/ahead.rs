//! Tokens computed ahead, on the guess that a reply copies what stands in its conversation (A. Saxena, "Prompt Lookup
//! Decoding", 2023). Several tokens together take hardly longer than one, because the weights are read once; a guess that
//! proves wrong is forgotten, so that the reply is, but for rounding, the same, only sooner.

use candle_core::{Result, Tensor};

use super::network::Network;

/// The most tokens that are guessed at once. With the one before them they make a multiple of four, which is how many rows
/// the products take together.
const FARTHEST: usize = 7;
/// A guess follows where so many last tokens have stood before.
const ALIKE: [usize; 2] = [3, 2];

/// A reply on its way through the network.
pub(super) struct Ahead {
    /// The conversation and the reply so far.
    tokens: Vec<u32>,
    /// So many of them the network has taken in.
    taken: usize,
    /// What has been taken in beyond them.
    guess: Vec<u32>,
    /// The states of the last token that was not guessed, and of each guess.
    states: Tensor,
    /// How many guesses have come true.
    right: usize,
    /// How many are worth guessing, from what became of the last ones.
    reach: usize,
}

impl Ahead {
    /// After a conversation has been taken in, with the states of its last tokens.
    pub(super) fn new(conversation: Vec<u32>, states: &Tensor) -> Result<Self> {
        Ok(Self {
            taken: conversation.len(),
            tokens: conversation,
            guess: Vec::new(),
            states: last(states, 1)?,
            right: 0,
            reach: FARTHEST / 2,
        })
    }

    /// The reply goes on with this token.
    pub(super) fn push(&mut self, token: u32) {
        if self.taken == self.tokens.len() && self.guess.get(self.right) == Some(&token) {
            self.right += 1;
            self.taken += 1;
        }
        self.tokens.push(token);
    }

    /// How many tokens the conversation and the reply have so far.
    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// How likely each token is to come next, once the network has taken in what it has not; it keeps at most `room`
    /// tokens.
    pub(super) fn outlook(&mut self, network: &mut Network, room: usize) -> Result<Vec<f32>> {
        let fresh = self.tokens.len() - self.taken;
        if fresh > 0 {
            if !self.guess.is_empty() {
                self.reach = (2 * self.right + 1).min(FARTHEST);
            }
            let most = self.reach.min(room - self.tokens.len());
            self.guess = self.following(most).to_vec();
            let batch = [&self.tokens[self.taken..], &self.guess].concat();
            let states = network.take_in(&batch, self.taken)?;
            self.states = last(&states, self.guess.len() + 1)?;
            self.taken = self.tokens.len();
            self.right = 0;
        }
        network.outlook(&self.states.narrow(0, self.right, 1)?)
    }

    /// What followed where the last tokens stood before, at most so many.
    fn following(&self, most: usize) -> &[u32] {
        for alike in ALIKE {
            let Some(before) = self.tokens.len().checked_sub(alike) else {
                continue;
            };
            let (earlier, end) = (
                &self.tokens[..self.tokens.len() - 1],
                &self.tokens[before..],
            );
            if let Some(at) = earlier.windows(alike).rposition(|window| window == end) {
                let from = at + alike;
                return &self.tokens[from..self.tokens.len().min(from + most)];
            }
        }
        &[]
    }
}

fn last(states: &Tensor, count: usize) -> Result<Tensor> {
    states.narrow(0, states.dim(0)? - count, count)
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::BufReader};

    use candle_core::quantized::{GgmlDType, gguf_file::Content};

    use super::*;
    use crate::chat_gguf::{mini::Mini, sampling::Sampler, weights::Shape};

    const ROOM: usize = 160;

    fn network() -> Network {
        let (_folder, path) = Mini::new("qwen2", GgmlDType::F32).written();
        let file = File::open(path).unwrap();
        let content = Content::read(&mut BufReader::new(&file)).unwrap();
        let shape = Shape::read(&content).unwrap().unwrap();
        Network::read(&content, &file, shape, ROOM).unwrap()
    }

    fn next(logits: &[f32]) -> u32 {
        Sampler::new(0.0, 0).next(logits, |_| true).unwrap()
    }

    #[test]
    fn guesses_change_nothing_but_how_often_the_network_is_asked() {
        let conversation: Vec<u32> = (0..40).map(|n| 60 + n % 7).collect();
        let mut network = network();
        let mut plain = conversation.clone();
        let mut states = network.take_in(&conversation, 0).unwrap();
        while plain.len() < ROOM {
            let logits = network.outlook(&last(&states, 1).unwrap()).unwrap();
            plain.push(next(&logits));
            states = network
                .take_in(&plain[plain.len() - 1..], plain.len() - 1)
                .unwrap();
        }

        let states = network.take_in(&conversation, 0).unwrap();
        let mut ahead = Ahead::new(conversation, &states).unwrap();
        let mut came_true = 0;
        while ahead.len() < ROOM {
            let logits = ahead.outlook(&mut network, ROOM).unwrap();
            let before = ahead.right;
            ahead.push(next(&logits));
            came_true += ahead.right - before;
        }
        assert_eq!(ahead.tokens, plain);
        assert!(came_true > 10, "{came_true}");
    }

    #[test]
    fn a_guess_is_what_followed_the_last_time() {
        let states = Tensor::zeros((1, 4), candle_core::DType::F32, &candle_core::Device::Cpu);
        let states = states.unwrap();
        let guess = |tokens: &[u32], most| {
            let ahead = Ahead::new(tokens.to_vec(), &states).unwrap();
            ahead.following(most).to_vec()
        };
        assert_eq!(guess(&[1, 2, 3, 4, 5, 1, 2, 3], 2), [4, 5]);
        assert_eq!(guess(&[9, 2, 3, 8, 1, 2, 3, 7, 5, 2, 3], 1), [7]);
        assert_eq!(guess(&[5, 5, 5, 5], 7), [5]);
        assert!(guess(&[1, 2, 3], 7).is_empty());
        assert!(guess(&[1], 7).is_empty());
    }
}
