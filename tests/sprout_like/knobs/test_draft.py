"""Drafts on live `generate` calls: the answer stays as it is, and what could change it is refused."""

from __future__ import annotations

import copy
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from scipy.stats import chisquare
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoConfig,
    GenerationConfig,
    LogitsProcessorList,
    PreTrainedTokenizerFast,
    StoppingCriteriaList,
)
from transformers.utils import logging as library_logging

from directives import Budget, Directive, Draft, EarlyExit, Lookup
from directives.knobs import Depth
from sprout_like.engines.engine import Call, Generation
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.engines.variants.pool import VariantPool
from sprout_like.knobs.draft import DraftKnob

pytestmark = pytest.mark.model

LOOKUP = Directive(name="lookup", draft=Draft(tokens=4, lookup=Lookup(ngram=2)))
ASSISTED = Directive(name="assisted", draft=Draft(tokens=3, assistant="small"))
SHALLOW = Directive(name="shallow", draft=Draft(tokens=3, depth=0.5))

FAMILIES: list[tuple[str, dict[str, Any]]] = [
    ("llama", {}),
    ("qwen2", {}),
    ("mistral", {"sliding_window": 16}),
    ("gemma", {}),
    ("gemma2", {"sliding_window": 16}),
    ("phi", {}),
    ("gpt2", {}),
]
CASES = [  # gpt2 has no views
    pytest.param(family, changes, directive, id=f"{family}-{directive.name}")
    for family, changes in FAMILIES
    for directive in (LOOKUP, ASSISTED, SHALLOW)
    if (family, directive) != ("gpt2", SHALLOW)
]
SIZE = 300  # of the vocabulary: small enough for repeats


class Window:
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Collector:
    """A streamer that keeps what it is given, and may fail."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.given: list[torch.Tensor] = []
        self.ended = False
        self._fails_at = fails_at

    def put(self, value: torch.Tensor) -> None:
        self.given.append(value)
        if len(self.given) == self._fails_at:
            raise ConnectionResetError("the reader has gone")

    def end(self) -> None:
        self.ended = True


def prompt(seed: int = 0) -> torch.Tensor:
    """Tokens with a repeat, shape (1, 29)."""
    half = torch.randint(3, SIZE, (1, 12), generator=torch.Generator().manual_seed(seed))
    return torch.cat([half, half, half[:, :5]], dim=1)


def greedy(ids: torch.Tensor, **settings: Any) -> dict[str, Any]:
    call = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "do_sample": False, "pad_token_id": 0}
    return {**call, "max_new_tokens": 23, **settings}


def run(engine: HuggingFaceEngine, directive: Directive, kwargs: dict[str, Any]) -> Generation:
    call = engine.inspect((), kwargs)
    assert engine.misfit(directive) is None
    assert engine.refusal(directive, call) is None
    plan = engine.plan(directive, call)
    with engine.hold(plan):
        return engine.run(plan, call, Window())


def shaken(model: Any) -> Any:
    """A model that mostly, but not always, says the same."""
    other, noise = copy.deepcopy(model), torch.Generator().manual_seed(5)
    with torch.no_grad():
        for weights in other.parameters():
            if weights.dim() > 1:
                weights.add_(torch.randn(weights.shape, generator=noise) * weights.std() * 0.1)
    return other


@pytest.fixture
def make(make_tiny: Callable[..., Any]) -> Callable[..., Any]:
    def make(family: str, **changes: Any) -> Any:
        model = make_tiny(family, **{"vocab_size": SIZE, **changes})
        model.generation_config.eos_token_id = None
        return model

    return make


def engine_of(model: Any, assistant: Any = None, tokenizer: Any = None, other: Any = None) -> HuggingFaceEngine:
    supplied = {"small": (shaken(model) if assistant is None else assistant, other or tokenizer)}
    return HuggingFaceEngine(model, tokenizer, supplied=supplied)


SETTINGS: list[dict[str, Any]] = [
    {},
    {"max_new_tokens": 40, "repetition_penalty": 1.3},
    {"max_new_tokens": 17, "no_repeat_ngram_size": 2, "forced_eos_token_id": 299, "suppress_tokens": [290]},
    {"max_new_tokens": None, "max_length": 52, "min_length": 45, "eos_token_id": "tenth"},
    {"eos_token_id": "tenth"},
    {"eos_token_id": ["tenth", 7], "min_new_tokens": 12},
]


def settled(model: Any, ids: torch.Tensor, settings: dict[str, Any]) -> dict[str, Any]:
    """The call, with an end token that comes in the middle of the answer where one is asked for."""
    if "eos_token_id" not in settings:
        return greedy(ids, **settings)
    tenth = int(model.generate(**greedy(ids))[0, ids.shape[1] + 9])
    ends = settings["eos_token_id"]
    return greedy(ids, **{**settings, "eos_token_id": tenth if ends == "tenth" else [tenth, 7]})


@pytest.mark.parametrize(("family", "changes", "directive"), CASES)
def test_a_draft_leaves_a_greedy_answer_as_it_is(
    make: Callable[..., Any], family: str, changes: dict[str, Any], directive: Directive
) -> None:
    model = make(family, **changes)
    engine, accepted, seed = engine_of(model), 0.0, 0
    while not accepted and seed < 5:
        ids = prompt(seed)
        for settings in SETTINGS:
            kwargs = settled(model, ids, settings)
            generation = run(engine, directive, kwargs)
            assert torch.equal(generation.output, model.generate(**kwargs)), settings
            accepted += generation.counts["draft_accepted"]
        seed += 1
    assert accepted > 0, "no guess was ever right: nothing was tried"


@pytest.mark.parametrize("directive", [LOOKUP, ASSISTED, SHALLOW], ids=lambda d: d.name)
def test_the_soft_ending_of_a_budget_is_kept(
    make_tiny: Callable[..., Any], tokenizer: Any, directive: Directive
) -> None:
    model = make_tiny("llama")
    engine = engine_of(model, tokenizer=tokenizer)
    budget = Budget(max_new_tokens=14, soft_tokens=12)
    for seed in range(3):
        kwargs = greedy(prompt(seed), max_new_tokens=60)
        alone = run(engine, Directive(name="capped", budget=budget), kwargs)
        both = run(engine, Directive(name="both", budget=budget, draft=directive.draft), kwargs)
        assert torch.equal(both.output, alone.output)
        assert both.finish_reason == alone.finish_reason


@pytest.mark.parametrize("draft", [LOOKUP.draft, ASSISTED.draft], ids=["lookup", "assistant"])
def test_a_draft_checks_by_the_layers_that_an_early_exit_leaves(make: Callable[..., Any], draft: Draft) -> None:
    engine = engine_of(make("llama"))
    exits = EarlyExit(depth=Depth(first=2))
    alone = run(engine, Directive(name="alone", early_exit=exits), greedy(prompt()))
    both = run(engine, Directive(name="both", early_exit=exits, draft=draft), greedy(prompt()))
    assert torch.equal(both.output, alone.output)


def test_guesses_that_are_all_right_are_all_taken_and_counted(make: Callable[..., Any]) -> None:
    model = make("llama")
    generation = run(engine_of(model, copy.deepcopy(model)), ASSISTED, greedy(prompt(), max_new_tokens=24))
    assert generation.counts == {"draft_rounds": 6, "draft_accepted": 18}


def test_an_end_token_inside_a_draft_ends_the_answer(make: Callable[..., Any]) -> None:
    model = make("llama")
    kwargs = settled(model, prompt(), {"eos_token_id": "tenth"})
    generation = run(engine_of(model, copy.deepcopy(model)), ASSISTED, kwargs)
    assert torch.equal(generation.output, model.generate(**kwargs))
    assert generation.finish_reason == "eos"


@pytest.mark.parametrize("size", [SIZE - 60, SIZE + 20])
def test_padding_of_the_assistants_embeddings_does_not_matter(make: Callable[..., Any], size: int) -> None:
    model = make("llama")
    engine = engine_of(model, make("llama", vocab_size=size))
    for settings in SETTINGS:
        kwargs = settled(model, prompt(), settings)
        assert torch.equal(run(engine, ASSISTED, kwargs).output, model.generate(**kwargs)), settings
    sampled = engine.inspect((), greedy(prompt(), do_sample=True))
    assert "another vocabulary" in str(engine.refusal(ASSISTED, sampled))


def trained(size: int, *texts: str) -> Any:
    tokens = Tokenizer(models.BPE())
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<s>", "</s>", "<pad>"]
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=special, initial_alphabet=alphabet)
    tokens.train_from_iterator(texts * 3, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokens, bos_token="<s>", eos_token="</s>", pad_token="<pad>")


def test_an_assistant_may_read_other_tokens(make: Callable[..., Any]) -> None:
    own = trained(SIZE, "the quick brown fox jumps over the lazy dog", "What is the longest river of the continent?")
    other = trained(280, "the quick brown fox jumps over the lazy dog")
    model = make("llama", vocab_size=len(own))
    engine = engine_of(model, make("mistral", vocab_size=len(other), sliding_window=8), own, other)
    only_special = torch.tensor([[0, 1, 2, 0, 0]])  # has no text at all
    for ids in (prompt() % len(own), only_special):
        for settings in SETTINGS:
            kwargs = settled(model, ids, settings)
            if settings.get("max_length") and ids is only_special:
                continue
            assert torch.equal(run(engine, ASSISTED, kwargs).output, model.generate(**kwargs)), settings
    sampled = engine.inspect((), greedy(prompt() % len(own), do_sample=True))
    assert "another vocabulary" in str(engine.refusal(ASSISTED, sampled))


@pytest.fixture(scope="module")
def smollm2_fp32(smollm2: tuple[Any, Any]) -> Any:
    """At 32 bits no two tokens of the answers below are equally likely."""
    return copy.deepcopy(smollm2[0]).float()


@pytest.mark.parametrize("guesser", ["lookup", "depth", "same tokens", "other tokens"])
def test_the_real_model_answers_the_same(smollm2_fp32: Any, tokenizer: Any, guesser: str) -> None:
    other = tokenizer
    if guesser == "other tokens":
        other = copy.deepcopy(tokenizer)
        other.add_tokens(["a token that the model does not have"])
    engine = engine_of(smollm2_fp32, smollm2_fp32, tokenizer, other)
    question = "Repeat this sentence: The quick brown fox jumps over the lazy dog."
    directive = {"lookup": LOOKUP, "depth": Directive(name="d", draft=Draft(tokens=2, depth=0.8))}.get(
        guesser, ASSISTED
    )
    call = engine.inspect(
        (), {"max_new_tokens": 14, "do_sample": False}, messages=[{"role": "user", "content": question}]
    )
    generation = engine.run(engine.plan(directive, call), call, Window())
    assert torch.equal(generation.output, smollm2_fp32.generate(**call.kwargs))
    assert generation.counts["draft_accepted"] > 0


@pytest.mark.parametrize("directive", [LOOKUP, ASSISTED], ids=lambda d: d.name)
def test_sampled_tokens_keep_their_distribution(make: Callable[..., Any], directive: Directive) -> None:
    model = make("llama", vocab_size=6, num_hidden_layers=1, bos_token_id=0, pad_token_id=0)
    engine = engine_of(model)
    ids = torch.tensor([[1, 4, 1, 4, 1]])
    kwargs = greedy(ids, do_sample=True, temperature=8.0, top_k=4, max_new_tokens=2)
    torch.manual_seed(3)
    seen = Counter(tuple(run(engine, directive, kwargs).output[0, -2:].tolist()) for _ in range(300))
    expected = {}
    for first, p_first in chances(model, ids).items():
        for second, p_second in chances(model, torch.cat([ids, torch.tensor([[first]])], dim=1)).items():
            expected[first, second] = 300 * p_first * p_second
    assert seen.keys() <= expected.keys()
    frequent = [pair for pair, count in expected.items() if count >= 5]
    rest = 300 - sum(expected[pair] for pair in frequent)
    counted = [*(seen[pair] for pair in frequent), 300 - sum(seen[pair] for pair in frequent)]
    wanted = [*(expected[pair] for pair in frequent), rest]
    kept = [(c, w) for c, w in zip(counted, wanted, strict=True) if w > 0.5]
    scale = sum(c for c, _ in kept) / sum(w for _, w in kept)
    assert len(kept) > 4
    assert chisquare([c for c, _ in kept], [w * scale for _, w in kept]).pvalue > 0.001


def chances(model: Any, ids: torch.Tensor) -> dict[int, float]:
    with torch.no_grad():
        best = (model(ids).logits[0, -1] / 8.0).topk(4)
    return dict(zip(best.indices.tolist(), best.values.softmax(dim=-1).tolist(), strict=True))


class Criterion:
    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        return torch.zeros(1, dtype=torch.bool)


class Processor:
    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        return scores


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"input_ids": torch.ones(2, 5, dtype=torch.long), "attention_mask": None}, "one prompt"),
        ({"num_return_sequences": 2, "do_sample": True}, "num_return_sequences"),
        ({"num_beams": 2}, "num_beams"),
        ({"logits_processor": LogitsProcessorList([Processor()])}, "logits_processor"),
        ({"stopping_criteria": StoppingCriteriaList([Criterion()])}, "stopping_criteria"),
        ({"prefix_allowed_tokens_fn": lambda _row, _ids: [1]}, "prefix_allowed_tokens_fn"),
        ({"stop_strings": ["x"]}, "stop_strings"),
        ({"max_time": 9.0}, "max_time"),
        ({"generation_config": GenerationConfig(max_time=9.0)}, "max_time"),
        ({"assistant_model": object()}, "assistant_model"),
        ({"prompt_lookup_num_tokens": 3}, "prompt_lookup_num_tokens"),
        ({"assistant_early_exit": 2}, "assistant_early_exit"),
        ({"penalty_alpha": 0.6, "top_k": 4}, "penalty_alpha"),
        ({"use_cache": False}, "use_cache=False"),
        ({"cache_implementation": "static"}, "cache_implementation='static'"),
        ({"past_key_values": object()}, "past_key_values"),
        ({"output_hidden_states": True}, "output_hidden_states"),
        ({"input_ids": None, "inputs_embeds": torch.zeros(1, 4, 32)}, "not given as tokens"),
    ],
    ids=lambda v: v if isinstance(v, str) else None,
)
@pytest.mark.parametrize("directive", [LOOKUP, ASSISTED, SHALLOW], ids=lambda d: d.name)
def test_a_call_whose_answer_could_change_is_refused(
    make: Callable[..., Any], directive: Directive, change: dict[str, Any], why: str
) -> None:
    engine = engine_of(make("llama"))
    assert why in str(engine.refusal(directive, engine.inspect((), {**greedy(prompt()), **change})))


def test_a_model_default_that_drafts_is_the_callers_own(make: Callable[..., Any]) -> None:
    model = make("llama")
    engine = engine_of(model)
    model.generation_config.prompt_lookup_num_tokens = 3
    assert "prompt_lookup_num_tokens" in str(engine.refusal(LOOKUP, engine.inspect((), greedy(prompt()))))


def test_a_draft_does_not_reach_beyond_the_last_position(make: Callable[..., Any]) -> None:
    model = make("gpt2", n_positions=64)
    engine = engine_of(model)
    ids = prompt()
    fits, close = greedy(ids, max_new_tokens=31), greedy(ids, max_new_tokens=32)
    assert torch.equal(run(engine, LOOKUP, fits).output, model.generate(**fits))
    assert "last position" in str(engine.refusal(LOOKUP, engine.inspect((), close)))
    told = Directive(name="told", draft=LOOKUP.draft, instruction="Be brief.")
    assert engine.refusal(told, engine.inspect((), fits)) is not None
    shorter = engine_of(make("llama"), make("gpt2", n_positions=40))
    assert "last position of 'small'" in str(shorter.refusal(ASSISTED, shorter.inspect((), fits)))


class Described:
    """A host of which only the description is known."""

    def __init__(self, config: Any, variant: str | None = None, tokenizer: Any = None) -> None:
        self.config = config
        self.variant = variant
        self.tokenizer = tokenizer
        self.generation_config = GenerationConfig()

    def model(self) -> Any:
        raise AssertionError("a misfit is told without loading")


@pytest.mark.parametrize(
    ("config", "directive", "why"),
    [
        (AutoConfig.for_model("t5"), LOOKUP, "draft: t5 is an encoder-decoder"),
        (AutoConfig.for_model("mamba"), LOOKUP, "draft: mamba keeps a state"),
        (AutoConfig.for_model("qwen3_next"), LOOKUP, "draft: qwen3_next"),
        (
            AutoConfig.for_model("llama", rope_parameters={"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}),
            LOOKUP,
            "draft: its positions are of the kind dynamic",
        ),
        (AutoConfig.for_model("gpt2"), SHALLOW, "draft.depth: models of the family gpt2"),
        (
            AutoConfig.for_model("llama", num_hidden_layers=30),
            Directive(name="deep", draft=Draft(depth=30)),
            "draft.depth is 30 but the model has 30 layers",
        ),
    ],
    ids=["encoder-decoder", "state", "linear attention", "moving positions", "no views", "too deep"],
)
def test_a_model_that_cannot_draft_is_told_from_its_config(config: Any, directive: Directive, why: str) -> None:
    host = Described(config)
    assert str(DraftKnob(VariantPool(host, {}, {})).misfit(directive, host)).startswith(why)


def test_an_assistant_that_does_not_fit_is_named(make: Callable[..., Any], tokenizer: Any) -> None:
    model, other = make("llama"), trained(280, "the quick brown fox")
    own = Described(model.config, tokenizer=tokenizer)
    supplied = {"small": (make("llama"), tokenizer), "mute": (make("llama"), None), "short": (make("gpt2"), other)}
    knob = DraftKnob(VariantPool(own, {}, supplied))

    def misfit(name: str, host: Any = own) -> str:
        return str(knob.misfit(Directive(name="d", draft=Draft(assistant=name)), host))

    engine = HuggingFaceEngine(model, tokenizer, supplied=supplied)
    unknown = engine.misfit(Directive(name="d", draft=Draft(assistant="smal")))
    assert unknown == "draft.assistant 'smal': there is no variant of that name; did you mean 'small'?"
    assert misfit("small", Described(model.config, "small", tokenizer)).startswith(
        "draft.assistant 'small' is the very"
    )
    assert "without a tokenizer" in misfit("mute")
    assert misfit("short").startswith("draft.assistant 'short': it reads other tokens")
    assert misfit("small") == "None"


@pytest.mark.parametrize("directive", [LOOKUP, ASSISTED, SHALLOW], ids=lambda d: d.name)
def test_a_streamer_is_given_what_it_is_given_without_a_draft(make: Callable[..., Any], directive: Directive) -> None:
    model = make("llama")
    drafted, plain = Collector(), Collector()
    run(engine_of(model), directive, greedy(prompt(), streamer=drafted)).end_stream()
    model.generate(**greedy(prompt(), streamer=plain))
    assert [v.tolist() for v in drafted.given] == [v.tolist() for v in plain.given]
    assert drafted.ended


@pytest.mark.parametrize("directive", [LOOKUP, ASSISTED, SHALLOW], ids=lambda d: d.name)
def test_scores_and_cache_are_those_of_the_plain_call(make: Callable[..., Any], directive: Directive) -> None:
    model = make("llama")
    kwargs = greedy(prompt(), return_dict_in_generate=True, output_scores=True)
    drafted, plain = run(engine_of(model), directive, kwargs).output, model.generate(**kwargs)
    assert torch.equal(drafted.sequences, plain.sequences)
    assert len(drafted.scores) == len(plain.scores)
    for one, other in zip(drafted.scores, plain.scores, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)
    assert drafted.past_key_values.get_seq_length() == plain.past_key_values.get_seq_length()


def state(*several: Any) -> list[Any]:
    return [
        (
            {name: id(value) for name, value in vars(model).items()},
            model.config.to_dict(),
            model.generation_config.to_dict(),
            {name: weights.data_ptr() for name, weights in model.state_dict().items()},
        )
        for model in several
    ]


@pytest.mark.parametrize("fails_at", [None, 4])
@pytest.mark.parametrize("directive", [LOOKUP, ASSISTED, SHALLOW], ids=lambda d: d.name)
def test_the_models_are_left_as_they_were_also_by_a_failure(
    make: Callable[..., Any], directive: Directive, fails_at: int | None
) -> None:
    model = make("llama")
    small = shaken(model)
    small.generation_config.num_assistant_tokens_schedule = "heuristic"
    small.generation_config.repetition_penalty = 1.5
    engine, kwargs = engine_of(model, small), greedy(prompt(), generation_config=GenerationConfig(max_new_tokens=23))
    del kwargs["max_new_tokens"], kwargs["do_sample"], kwargs["pad_token_id"]
    before, given = state(model, small), kwargs["generation_config"].to_dict()
    kwargs["streamer"] = Collector(fails_at)
    if fails_at is None:
        run(engine, directive, kwargs)
    else:
        with pytest.raises(ConnectionResetError):
            run(engine, directive, kwargs)
    assert state(model, small) == before
    assert kwargs["generation_config"].to_dict() == given
    assert torch.equal(run(engine, directive, greedy(prompt())).output, model.generate(**greedy(prompt())))


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What transformers logs, also what it says only once."""
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler = Lines()
    library_logging.warning_once.cache_clear()
    logging.getLogger("transformers").addHandler(handler)
    yield lines
    logging.getLogger("transformers").removeHandler(handler)


@pytest.mark.parametrize("sampling", [False, True])
@pytest.mark.parametrize("directive", [LOOKUP, ASSISTED, SHALLOW], ids=lambda d: d.name)
def test_a_draft_gives_no_warnings(
    make: Callable[..., Any], said: list[str], directive: Directive, sampling: bool
) -> None:
    engine = engine_of(make("llama"))
    run(engine, directive, greedy(prompt(), do_sample=sampling, repetition_penalty=1.2, eos_token_id=5))
    config = GenerationConfig(max_new_tokens=9, do_sample=sampling, repetition_penalty=1.2, pad_token_id=0)
    ids = prompt()
    run(engine, directive, {"input_ids": ids, "attention_mask": torch.ones_like(ids), "generation_config": config})
    assert said == []


def test_the_plan_names_every_model_it_runs(make: Callable[..., Any]) -> None:
    model = make("llama")
    small = shaken(model)
    engine = engine_of(model, small)
    call: Call = engine.inspect((), greedy(prompt()))
    assert [id(each) for each in engine.plan(ASSISTED, call).models] == [id(model), id(small)]
    assert [id(each) for each in engine.plan(SHALLOW, call).models] == [id(model)]


def test_two_threads_with_different_drafts_get_what_each_gets_alone(make: Callable[..., Any]) -> None:
    model = make("llama")
    engine = engine_of(model)
    wanted = {seed: model.generate(**greedy(prompt(seed))) for seed in range(4)}
    wrong: list[tuple[str, int]] = []

    def work(directive: Directive) -> None:
        wrong.extend(
            (directive.name, seed)
            for seed in range(4)
            if not torch.equal(run(engine, directive, greedy(prompt(seed))).output, wanted[seed])
        )

    threads = [threading.Thread(target=work, args=(d,)) for d in (LOOKUP, ASSISTED, SHALLOW)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
