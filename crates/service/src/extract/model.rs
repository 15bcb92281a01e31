//! Gradient-boosted trees that judge spans: they predict how much of the answer a span shares with what a person would
//! mark (`models/README.md` says how they were made and measured).

use std::sync::LazyLock;

use serde::Deserialize;

use super::features::COUNT;

/// A tree in arrays: inner nodes by place; children that are negative are leaves, `!child` is the leaf's place.
#[derive(Deserialize)]
struct Tree {
    feature: Vec<u16>,
    threshold: Vec<f32>,
    left: Vec<i16>,
    right: Vec<i16>,
    leaf: Vec<f32>,
}

#[derive(Deserialize)]
struct Model {
    features: usize,
    trees: Vec<Tree>,
}

static MODEL: LazyLock<Model> = LazyLock::new(|| {
    let model: Model = serde_json::from_str(include_str!("../../../../models/extract.json"))
        .expect("the model is checked by a test");
    assert_eq!(
        model.features, COUNT,
        "the model was made for other features"
    );
    model
});

impl Tree {
    fn predict(&self, features: &[f32]) -> f32 {
        let mut node = 0;
        while !self.feature.is_empty() {
            let below = features[usize::from(self.feature[node])] <= self.threshold[node];
            let child = if below {
                self.left[node]
            } else {
                self.right[node]
            };
            if child < 0 {
                return self.leaf[usize::try_from(!child).unwrap_or(0)];
            }
            node = usize::try_from(child).unwrap_or(0);
        }
        self.leaf.first().copied().unwrap_or(0.0)
    }
}

/// How well a span with these numbers answers, about 0 to 1.
pub(super) fn predict(features: &[f32]) -> f32 {
    MODEL.trees.iter().map(|t| t.predict(features)).sum()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_model_is_sound() {
        let model = &*super::MODEL;
        assert!(!model.trees.is_empty());
        for tree in &model.trees {
            assert!(
                tree.feature
                    .iter()
                    .all(|f| usize::from(*f) < model.features)
            );
            assert_eq!(tree.leaf.len(), tree.feature.len() + 1);
        }
        assert!(super::predict(&vec![0.0; model.features]).is_finite());
    }
}
