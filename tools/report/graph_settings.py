"""How this run was trained beside how the poster's models were."""

from dataclasses import dataclass, field

from .page import element, join, paragraph, plain, table
from .run_folder import text


@dataclass(frozen=True)
class Setting:
    keys: tuple  # names of the option in config.json
    words: str
    poster: object  # after its authors' published code
    said: dict = field(default_factory=dict)  # values that are better said in words
    main: bool = False  # worth a word where it is the same, too


OFF = {0: "none", "0": "none"}
SETTINGS = (
    Setting(("frames", "timesteps"), "frames", 10, main=True),
    Setting(("nodes", "vertices"), "points", 10, main=True),
    Setting(("train_graphs", "train_size"), "training graphs", 50_000, main=True),
    Setting(("test_graphs", "test_size"), "test graphs", 10_000, main=True),
    Setting(("hidden", "hidden_size"), "hidden units", 256, main=True),
    Setting(("message_hidden",), "hidden units of messages", 256, {0: 256}),
    Setting(("batch", "batch_size"), "graphs per update", 128, main=True),
    Setting(("updates", "max_updates"), "updates", 50_000, main=True),
    Setting(("prediction_steps",), "frames predicted without seeing the true one", 9, {0: 9}),
    Setting(("frames_per_update",), "transitions used per update", "all", {0: "all"}),
    Setting(("augment",), "graphs turned and mirrored at random", False),
    Setting(("lr", "learning_rate"), "learning rate", "tuned"),
    Setting(("schedule",), "learning rate over time", "constant"),
    Setting(("warm_up",), "updates over which it rises from 0", 0),
    Setting(("encoder_lr",), "factor on it for the encoder", 1),
    Setting(("decoder_lr",), "factor on it for the decoder", 1),
    Setting(("second_decay",), "Adam's decay of squared gradients", 0.999),
    Setting(("clip_norm",), "limit on the gradient's length", "none", OFF),
    Setting(("temperature",), "temperature", "tuned"),
    Setting(("final_temperature",), "temperature at the end", "the same", {"0": "the same"}),
    Setting(("utility_range",), "range of utilities over temperature, spanning tree", 15, OFF),
    Setting(("init_utility_scale",), "factor on the initial utilities", 1),
    Setting(("decoder_first",), "updates of the decoder alone, on near vertices joined", 0),
    Setting(("encoder_first",), "updates of the encoder alone, after those", 0),
    Setting(("hard_after",), "part of the training with soft samples", 1),
    Setting(("kl_weight",), "weight of the KL term", 1),
    Setting(("kl_warm_up",), "updates over which that weight rises from 0", 0),
    Setting(("kl_over",), "KL term counted over edges", "directed"),
    Setting(("scouts",), "models that start, of which the best goes on", 1),
    Setting(("evaluate_graphs",), "validation graphs per evaluation", "all", {0: "all"}),
    Setting(("evaluate_every",), "updates between evaluations", 500),
)
POSTER_TRIALS = "best of several random trials"


def nodes(run):
    recorded = run.option("nodes", "vertices")
    return recorded if isinstance(recorded, int) and recorded >= 2 else 10


def frames(run):
    recorded = run.option("frames", "timesteps")
    return recorded if isinstance(recorded, int) else None


def differences(run, rows):
    """What differs from the poster's training, what is the same, what is not known."""
    differing, same, unknown = [["Trials", trials(rows), POSTER_TRIALS]], [], []
    for setting in SETTINGS:
        value = said(setting, run.option(*setting.keys))
        theirs = plain(setting.poster)
        if value and value != theirs:
            differing.append([setting.words[0].upper() + setting.words[1:], value, theirs])
        elif setting.main:
            (same if value else unknown).append(
                f"{setting.words} {theirs}" if value else setting.words
            )
    preset = text(run.config.get("preset"))
    heading = f"This run, preset {preset}" if preset else "This run"
    rest = [
        f"The same as the poster's: {'; '.join(same)}. " if same else "",
        f"Not recorded in config.json: {'; '.join(unknown)}. " if unknown else "",
        "The graphs follow the same law as the poster's, but are not the same graphs. The poster's "
        "settings are those of its authors' published code.",
    ]
    return join(
        [
            element("h3", "What differs from the poster"),
            table(
                ["Setting", heading, "Poster"],
                differing,
                class_="settings",
                label="Settings beside the poster's",
            ),
            paragraph(*rest, class_="small"),
        ]
    )


def said(setting, value):
    """An option in words, empty where it isn't recorded."""
    if value is None:
        return ""
    return plain(setting.said.get(value, value) if isinstance(value, (str, int, float)) else value)


def trials(rows):
    searched = spread([row.seeds for row in rows if row.searched], "random trial")
    repeated = spread([row.seeds for row in rows if not row.searched], "seed")
    said = [f"best of {searched}"] if searched else []
    return "; ".join(said + ([f"{repeated} of one configuration"] if repeated else []))


def spread(counts, what):
    """ "3 to 5 seeds"; nothing for no counts."""
    if not counts:
        return ""
    least, most = min(counts), max(counts)
    return f"{least if least == most else f'{least} to {most}'} {what}{'s' if most > 1 else ''}"
