#!/usr/bin/env python3
"""Trains the span model of answer extraction. Needs numpy and lightgbm.

usage: train_extract.py EXAMPLES QUERIES OUT.json

EXAMPLES  folder written by `citymind eval answers --examples`
QUERIES   JSON lines {_id, answer, gold[]}: the answer is a literal span of a gold document
OUT.json  the model, as crates/service/src/extract/model.rs reads it

Prints the figures of five-fold cross-validation, folds by document; then trains on everything.
A span's target is how much it shares with the marked one (F1 of characters) plus a share for holding all of it."""
import collections, json, sys
import numpy as np, lightgbm as lgb

HOLDS, TREES, LEAVES, RATE, ROWS = 0.2, 250, 31, 0.07, 500
PARAMS = dict(objective="regression", num_leaves=LEAVES, learning_rate=RATE, min_data_in_leaf=100, feature_fraction=0.4,
              bagging_fraction=0.7, bagging_freq=1, lambda_l2=5.0, num_threads=2, verbose=-1, seed=1, deterministic=True)


def lines(path):
    return [json.loads(l) for l in open(path, encoding="utf8") if l.strip()]


def main(folder, queries, out):
    gold = {q["_id"]: q for q in lines(queries)}
    text = {t["document"]: t["text"] for t in lines(f"{folder}/texts.jsonl")}
    questions = lines(f"{folder}/questions.jsonl")
    total = sum(q["rows"] for q in questions)
    rows = np.memmap(f"{folder}/rows.f32", dtype="<f4", mode="r").reshape(total, -1)
    count = rows.shape[1] - 3
    rng, at, data = np.random.default_rng(0), 0, []
    for q in questions:
        part = np.array(rows[at:at + q["rows"]]); at += q["rows"]
        if not len(part):
            data.append(None); continue
        g = gold[q["qid"]]
        shared, holds = np.zeros(len(part)), np.zeros(len(part), bool)
        answer = g["answer"].strip()
        for place, doc in enumerate(q["documents"]):
            t = text[doc]; start = t.find(answer)
            if start < 0 and (bare := answer.strip("。 ")) : start, answer = t.find(bare), bare
            if start < 0: continue
            end, mine = start + len(answer), part[:, 0] == place
            a, b = part[:, 1], part[:, 2]
            overlap = np.clip(np.minimum(b, end) - np.maximum(a, start), 0, None)
            shared[mine] = (2 * overlap / (b - a + end - start))[mine]
            holds[mine] = ((a <= start) & (b >= end - 1))[mine]
        pick = np.unique(np.concatenate([np.argsort(-shared)[:60], rng.choice(len(part), min(len(part), ROWS), replace=False)]))
        data.append((part[:, 3:], shared, holds, pick, (g["gold"] or q["documents"])[0]))
    kept = [i for i, d in enumerate(data) if d is not None]
    docs = sorted({data[i][4] for i in kept}); rng.shuffle(docs); fold = {d: k % 5 for k, d in enumerate(docs)}

    def train(indices):
        x = np.concatenate([data[i][0][data[i][3]] for i in indices])
        y = np.concatenate([(data[i][1] + HOLDS * data[i][2])[data[i][3]] for i in indices])
        return lgb.train(PARAMS, lgb.Dataset(x, y), TREES)

    score = collections.Counter()
    for f in range(5):
        model = train([i for i in kept if fold[data[i][4]] != f])
        for i in (i for i in kept if fold[data[i][4]] == f):
            k = int(np.argmax(model.predict(data[i][0])))
            score["shared"] += data[i][1][k]; score["holds"] += data[i][2][k]
    best = np.mean([0 if d is None else d[1].max() for d in data])
    print(f"questions {len(questions)}, features {count}, best possible {best:.4f}; cross-validated: "
          f"shared {score['shared'] / len(questions):.4f}, holds all {score['holds'] / len(questions):.4f}", flush=True)
    model = train(kept)
    gain = sorted(zip(model.feature_importance("gain"), range(count)), reverse=True)[:25]
    print("features by gain:", [j for _, j in gain])
    json.dump({"features": count, "trees": [tree(t["tree_structure"]) for t in model.dump_model()["tree_info"]]}, open(out, "w"),
              separators=(",", ":"))


def tree(root):
    t = dict(feature=[], threshold=[], left=[], right=[], leaf=[])

    def walk(node):
        if "leaf_value" in node:
            t["leaf"].append(float(f"{node['leaf_value']:.5g}")); return ~(len(t["leaf"]) - 1)
        at = len(t["feature"])
        t["feature"].append(node["split_feature"]); t["threshold"].append(float(f"{node['threshold']:.7g}"))
        t["left"].append(0); t["right"].append(0)
        t["left"][at] = walk(node["left_child"]); t["right"][at] = walk(node["right_child"])
        return at

    walk(root)
    return t


if __name__ == "__main__":
    main(*sys.argv[1:4])
