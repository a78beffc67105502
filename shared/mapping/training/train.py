"""Makes the matcher's model. README.md says how.

Features come from the matcher itself (`match-eval --features`), so there is one implementation.
Stage 1 weighs a pair alone; stage 2 weighs it among its rivals, on logits of a stage 1 that has
not seen the pair's vendor family. Curves turn stage 2's logit into a probability.
"""

import argparse
import json
import math
import os
import subprocess
import tempfile

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

FOLDS = 4
TASKS = ["mapping", "canonical", "drift"]
GROUPS = [f"{kind} {names}" for kind in [*TASKS, "reused"] for names in ("same", "other")]

# More of the first never lowers a score, more of the second never raises it.
RAISES = """exact_last exact_full concept_eq wjac cov_t cov_s lcov_t lcov_s tri jw contain head_eq
head_sim acro ent_eq nonent_cov type_ok fmt_cos imp_eq imp_ok_s imp_ok_t cc_sim vjac vtok num_q
aligned_eq cov_weak_t exact_path path_jac leaf_s leaf_t path_eq ent_id""".split()
LOWERS = """conflict depth_d list_mis type_bad imp_bad_s imp_bad_t len_diff dist_d strongq_s
strongq_t""".split()

CONTEXT = """z1 row_margin col_margin row_rank col_rank best_in_row best_in_col mutual share n_src n_tgt
exact_elsewhere_t exact_elsewhere_s drift""".split()
CONTEXT_RAISES = "z1 row_margin col_margin best_in_row best_in_col mutual share aligned_eq".split()
CONTEXT_LOWERS = """row_rank col_rank exact_elsewhere_t exact_elsewhere_s conflict type_bad
imp_bad_s""".split()
# What stage 2 sees of the pair itself.
PAIR = """exact_last exact_full concept_eq conflict qual_s qual_t rest_s rest_t ent_eq type_bad imp_bad_s
imp_ok_s fmt_cos has_vals aligned_eq aligned_on vjac head_eq cov_t cov_s jw t_generic s_generic depth_d
nonent_cov leaf_s leaf_t path_eq ent_id exact_path path_jac strongq_s strongq_t""".split()


class Rows:
    """The matcher's rows of the judged pairs of one or several files."""

    def __init__(self, columns, families, data):
        self.columns, self.families, self.data = columns, families, data

    def of(self, names):
        return self.data[:, [self.columns.index(it) for it in names]]

    def one(self, name):
        return self.data[:, self.columns.index(name)]

    def where(self, keep):
        return Rows(self.columns, self.families, self.data[keep])


def rows(arguments, model, files):
    """Runs the matcher with that model over the files."""
    data, families, columns, cases = [], [], None, 0
    with tempfile.TemporaryDirectory() as folder:
        path, out = os.path.join(folder, "model.json"), os.path.join(folder, "rows")
        with open(path, "w") as file:
            json.dump(model, file)
        for case_file in files:
            command = [arguments.matcher, case_file, "--model", path, "--features", out]
            subprocess.run(command, check=True)
            with open(out, "rb") as file:
                header = json.loads(file.readline())
                table = np.frombuffer(file.read(), dtype="<f4")
            columns = header["columns"]
            table = table.reshape(-1, len(columns)).copy()
            table[:, columns.index("case")] += cases
            cases = table[:, columns.index("case")].max() + 1 if len(table) else cases
            table[:, columns.index("family")] += len(families)
            families += header["families"]
            data.append(table)
    return Rows(columns, families, np.concatenate(data))


def fold_of(rows_):
    """The fold of each row: by the family's name, so that it is the same in each run."""
    folds = [sum(it.encode()) % FOLDS for it in rows_.families]
    return np.array(folds)[rows_.one("family").astype(int)]


def boosted(features, raises, lowers, x, y, leaves, trees=80):
    constraints = [int(it in raises) - int(it in lowers) for it in features]
    model = HistGradientBoostingClassifier(
        max_iter=trees, max_leaf_nodes=leaves, learning_rate=0.1, min_samples_leaf=40,
        l2_regularization=1.0, monotonic_cst=constraints, early_stopping=False, random_state=0)
    return as_trees(features, model.fit(x, y))


def as_trees(features, model):
    trees = []
    for (tree,) in model._predictors:
        node = tree.nodes
        leaf = node["is_leaf"].astype(bool)
        # The library scales a leaf's value by the learning rate, but not an inner node's.
        value = np.where(leaf, node["value"], node["value"] * model.learning_rate)
        trees.append({
            "split": [-1 if end else int(it) for it, end in zip(node["feature_idx"], leaf)],
            "at": [0.0 if end else round(float(it), 7)
                   for it, end in zip(np.minimum(node["num_threshold"], 1e30), leaf)],
            "low": [int(it) for it in node["left"]],
            "high": [int(it) for it in node["right"]],
            "value": [round(float(it), 5) for it in value],
        })
    base = float(np.ravel(model._baseline_prediction)[0])
    return {"kind": "trees", "base": round(base, 5), "features": features, "trees": trees}


def linear(features, x, y):
    scale = x.std(axis=0) + 1e-6
    model = LogisticRegression(C=1.0, max_iter=2000).fit(x / scale, y)
    weights = [round(float(it), 5) for it in model.coef_[0] / scale]
    base = round(float(model.intercept_[0]), 5)
    return {"kind": "linear", "base": base, "features": features, "weights": weights}


def first_stage(arguments, data):
    features = data.columns[data.columns.index("drift") + 1:]
    x, y = data.of(features), data.one("label")
    if arguments.first == "linear":
        return linear(features, x, y)
    return boosted(features, RAISES, LOWERS, x, y, leaves=10)


def second_stage(data):
    features = CONTEXT + PAIR
    return boosted(features, CONTEXT_RAISES, CONTEXT_LOWERS, data.of(features), data.one("label"), leaves=8)


def with_curves(first, second, curves=None, pooled=None, thresholds=None, about=""):
    flat = [[-10.0, 0.0], [10.0, 1.0]]
    return {
        "about": about,
        "first": first,
        "second": second,
        "calibration": curves or {it: flat for it in GROUPS},
        "pooled": pooled or flat,
        "thresholds": thresholds or {it: 0.85 for it in GROUPS},
    }


def only_first(first):
    return with_curves(first, {"kind": "linear", "base": 0.0, "features": ["z1"], "weights": [1.0]})


def group_of(data):
    kind = np.where(data.one("assigned") == 2, 3, data.one("task"))
    return (kind * 2 + 1 - data.one("same_name")).astype(int)


def platt(logit, right):
    """A logistic curve: Platt (1999)."""
    if right.min() == right.max():
        share = (right.sum() + 1) / (len(right) + 2)
        return lambda it: np.full(len(it), share)
    model = LogisticRegression(C=1.0).fit(logit[:, None], right)
    return lambda it: model.predict_proba(np.asarray(it)[:, None])[:, 1]


def curve(logit, right):
    """Shares of equally filled bins, shrunk towards Platt's curve by ten cases, made monotone."""
    logit, right = logit.astype(float), right.astype(float)
    fallback = platt(logit, right)
    order = np.argsort(logit, kind="stable")
    edges = [0, .1, .2, .3, .4, .5, .6, .7, .8, .85, .9, .95, 1] if len(order) >= 120 else [0, .25, .5, .75, 1]
    bounds = sorted({int(it * len(order)) for it in edges})
    at, share, size = [], [], []
    for low, high in zip(bounds, bounds[1:]):
        chosen = order[low:high]
        middle = logit[chosen].mean()
        prior = fallback(np.array([middle]))[0]
        at.append(middle)
        share.append((right[chosen].sum() + 10 * prior) / (len(chosen) + 10))
        size.append(len(chosen))
    share = IsotonicRegression().fit_transform(at, share, sample_weight=size)
    share = np.clip(share, 0.002, 0.9985)
    return [[round(float(a), 5), round(float(b), 5)] for a, b in zip(at, share)]


def threshold(knots, logit, right, wanted=0.995):
    """The least probability from which on that share of the cases was right."""
    p = np.interp(logit, *np.array(knots).T)
    order = np.argsort(-p, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    p = p[order]
    least = 0.985
    ends = np.flatnonzero(np.r_[p[:-1] > p[1:], True]) if len(p) else []
    good = [it for it in ends if share[it] >= wanted and it >= 30]
    # Rounded down, as the curve's own end must pass.
    return math.floor(1e4 * float(max(0.85, p[good[-1]] if good else least))) / 1e4


def calibrated(first, second, chosen, about):
    logit, right, group = chosen.one("logit"), chosen.one("label"), group_of(chosen)
    pooled = curve(logit[chosen.one("assigned") == 1], right[chosen.one("assigned") == 1])
    curves, thresholds = {}, {}
    for at, name in enumerate(GROUPS):
        of = group == at
        if of.sum() < 20:
            curves[name], thresholds[name] = pooled, 0.99
            continue
        curves[name] = curve(logit[of], right[of])
        decidable = of & (chosen.one("decidable") > 0)
        thresholds[name] = threshold(curves[name], logit[decidable], right[decidable])
        print(f"{name}: {int(of.sum())} cases, {int(right[of].sum())} right, from {thresholds[name]}")
    return with_curves(first, second, curves, pooled, thresholds, about)


def written(model):
    """One line a tree, so that a change shows."""
    text = json.dumps(model)
    return text.replace('{"split"', '\n{"split"').replace(', "calibration"', ',\n"calibration"') + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--matcher", required=True, help="the program match-eval")
    parser.add_argument("--train", nargs="*", default=[], help="files of cases to learn from")
    parser.add_argument("--calibration", nargs="*", default=[], help="files of cases to calibrate on besides")
    parser.add_argument("--first", choices=["linear", "trees"], default="trees")
    parser.add_argument("--out", required=True)
    parser.add_argument("--stages", help="a model whose stages are kept, so that only the curves are made anew")
    arguments = parser.parse_args()
    if arguments.stages:
        with open(arguments.stages) as file:
            stages = json.load(file)
        # Twice: the margins that thresholds are counted on need the curves.
        made = with_curves(stages["first"], stages["second"])
        for _ in range(2):
            made = calibrated(*kept(arguments, made))
    else:
        made = calibrated(*learnt(arguments))
    with open(arguments.out, "w") as file:
        file.write(written(made))


def kept(arguments, model):
    """The stages of a model, and its answers to the calibration cases."""
    scored = rows(arguments, model, arguments.calibration)
    chosen = scored.where(scored.one("assigned") > 0)
    about = f"stages of {os.path.basename(arguments.stages)}, curves made by training/train.py"
    return model["first"], model["second"], chosen, about


def learnt(arguments):
    """Both stages, and their answers to pairs that they have not seen."""
    nothing = only_first({"kind": "linear", "base": 0.0, "features": [], "weights": []})
    data = rows(arguments, nothing, arguments.train)
    fold = fold_of(data)
    unseen = []
    firsts = [first_stage(arguments, data.where(fold != it)) for it in range(FOLDS)]
    for at, first in enumerate(firsts):
        scored = rows(arguments, only_first(first), arguments.train)
        unseen.append(scored.where(fold == at))
    joined = Rows(data.columns, data.families, np.concatenate([it.data for it in unseen]))
    chosen = []
    for at, first in enumerate(firsts):
        second = second_stage(joined.where(fold_of(joined) != at))
        scored = rows(arguments, with_curves(first, second), arguments.train)
        chosen.append(scored.data[(fold == at) & (scored.one("assigned") > 0)])
    first, second = first_stage(arguments, data), second_stage(joined)
    if arguments.calibration:
        scored = rows(arguments, with_curves(first, second), arguments.calibration)
        chosen.append(scored.data[scored.one("assigned") > 0])
    chosen = Rows(data.columns, data.families, np.concatenate(chosen))
    about = f"made by training/train.py, first stage {arguments.first}; {len(data.data)} pairs to learn from"
    return first, second, chosen, about


if __name__ == "__main__":
    main()
