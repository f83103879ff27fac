"""A language is data: a folder of templates, or none. Every arm and format works in each."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from onelook.engines.base import AskRequest
from onelook.engines.scripted import ScriptedEngine, ScriptedReply, ScriptedRouter
from onelook.errors import PromptError, SettingsError, TaxonomyError
from onelook.prompts.languages import FILE, TEMPLATES
from onelook.prompts.question import Question
from onelook.prompts.questions import CODECS, Prompts
from onelook.prompts.taxonomy.document import load_taxonomy, parse_taxonomy
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.settings.process import PHOTOS, load_settings
from onelook.tagger import Tagger
from onelook.types import Answer, Context, Language

HOSTILE = Path(__file__).parent / "hostile.yaml"
TAXONOMY = load_taxonomy(HOSTILE)
BUNDLED = sorted(folder.name for folder in TEMPLATES.iterdir())
RUNS = [
    Context(arm="fused", reply_format="json"),
    Context(arm="fused", reply_format="compact"),
    Context(arm="reads"),
    Context(arm="hybrid", reply_format="json"),
    Context(arm="hybrid", reply_format="compact"),
    Context(arm="legacy"),
    Context(arm="legacy_shared", reply_format="json"),
    Context(arm="legacy_shared", reply_format="compact"),
]


def answers(taxonomy: Taxonomy) -> list[Answer]:
    """For each category: the first option of every attribute, the last, and all or none of a `choose: many`."""
    found = []
    for id_, category in taxonomy.categories.items():
        for pick in (slice(0, 1), slice(-1, None)):
            details = {key: tuple(attribute.options)[pick] for key, attribute in category.details.items()}
            found.append(Answer(category=id_, details=details))
        for many in (slice(None), slice(0)):
            details = {
                key: tuple(attribute.options)[many if attribute.choose == "many" else slice(0, 1)]
                for key, attribute in category.details.items()
            }
            found.append(Answer(category=id_, details=details))
    return [answer for rank, answer in enumerate(found) if answer not in found[:rank]]


def questions(prompts: Prompts) -> list[Question]:
    taxonomy = prompts.taxonomy
    detailed = [id_ for id_, category in taxonomy.categories.items() if category.details]
    return [
        *(ask(each) for ask in (prompts.fused, prompts.category) for each in CODECS),
        *(prompts.details(id_, each) for id_ in detailed for each in CODECS),
        prompts.legacy_category(),
        *(prompts.legacy_details(id_) for id_ in detailed),
        *prompts.category_choice(debias=True).questions,
        *(
            question
            for id_ in detailed
            for key in taxonomy.categories[id_].details
            for choice in prompts.attribute_choices(id_, key, debias=True)
            for question in choice.questions
        ),
    ]


class Model:
    """Gives its answer to whatever `prompts` ask, in the form that each question wants."""

    def __init__(self, answer: Answer, prompts: Prompts) -> None:
        self.answer = answer
        self._questions = {question.text: question for question in questions(prompts)}

    def __call__(self, request: AskRequest) -> ScriptedReply:
        content = request.messages[-1].content
        texts = [part["text"] for part in content if isinstance(part, dict) and part["type"] == "text"]
        reply = self._questions[texts[0]].write(self.answer)
        return ScriptedReply(tokens=[(letter, 0.0) for letter in reply])


@pytest.fixture
def picture() -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (280, 224), "teal").save(held, "JPEG")
    return held.getvalue()


def alone(language: Language) -> dict[str, Any]:
    """The hostile document in one language."""

    def narrowed(node: Any) -> Any:
        if isinstance(node, dict) and language in node:
            return {language: node[language]}
        return {key: narrowed(value) for key, value in node.items()} if isinstance(node, dict) else node

    document = narrowed(yaml.safe_load(HOSTILE.read_text(encoding="utf-8")))
    return {**document, "languages": [language]}


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.arm}-{run.reply_format}")
@pytest.mark.parametrize("language", TAXONOMY.languages)
async def test_every_arm_gives_the_models_answer(language: Language, run: Context, picture: bytes) -> None:
    prompts = Prompts(TAXONOMY, language)
    seen = answers(TAXONOMY)
    model = Model(seen[0], prompts)
    router = ScriptedRouter([[float(id_ == answer.category) for id_ in TAXONOMY.categories] for answer in seen])
    tagger = Tagger(load_settings(taxonomy=HOSTILE), ScriptedEngine(model), router=router)
    for answer in seen:
        model.answer = answer
        result = await tagger.tag(picture, Context(**run.model_dump(exclude_unset=True), language=language))
        assert result.errors == ()
        assert result.language == language
        assert result.category is not None
        assert result.category.id == answer.category
        assert result.category.label == TAXONOMY.categories[answer.category].label[language]
        found = {key: tuple(tag.id for tag in tags) for key, tags in result.details.items()}
        assert found == answer.details
        assert result.versions.prompts == prompts.version


@pytest.mark.parametrize("language", TAXONOMY.languages)
async def test_a_taxonomy_in_one_language_is_tagged_in_it(language: Language, tmp_path: Path, picture: bytes) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(alone(language), allow_unicode=True, sort_keys=False), encoding="utf-8")
    prompts = Prompts(load_taxonomy(file), language)
    (answer, *_) = answers(prompts.taxonomy)
    tagger = Tagger(load_settings(taxonomy=file), ScriptedEngine(Model(answer, prompts)))
    result = await tagger.tag(picture)
    assert result.category is not None
    assert (result.status, result.language, result.category.id) == ("ok", language, answer.category)


@pytest.mark.parametrize("language", BUNDLED)
def test_every_language_has_the_same_files_in_its_own_words(language: Language) -> None:
    files = {file.name: file.read_text(encoding="utf-8") for file in (TEMPLATES / language).iterdir()}
    english = {file.name: file.read_text(encoding="utf-8") for file in (TEMPLATES / "en").iterdir()}
    assert files.keys() == english.keys()
    if language != "en":
        # A question of two labels has no words of its own in German.
        assert {name for name, text in files.items() if text == english[name]} <= {FILE, "read_value.j2"}


@pytest.mark.parametrize("language", [*TAXONOMY.languages])
def test_the_system_prompt_names_all_that_may_be_answered(language: Language) -> None:
    system = Prompts(TAXONOMY, language).system
    for category in TAXONOMY.categories.values():
        assert f"\n{category.label[language]}" in system
        assert category.when[language] in system
        for id_, attribute in category.details.items():
            assert f"\n- {id_}" in system
            assert all(label in system for label in attribute.ids(language))


def test_the_words_of_a_prompt_are_of_its_language() -> None:
    asked = {each: Prompts(TAXONOMY, each).category_choice().questions[0] for each in TAXONOMY.languages}
    first = {each: question.text.partition("?")[0] for each, question in asked.items()}
    assert first["de"] == "Hauptkategorie"
    assert first["es"] == "¿Categoría principal"
    assert first["ja"].startswith("主カテゴリは？ A 猫 B 猫カフェ")
    assert first["pl"] == "Primary category"


def pets(language: Language) -> Taxonomy:
    label = {language: "gato"}
    return parse_taxonomy(
        {"name": "pets", "languages": [language], "categories": {"cat": {"label": label, "when": label}}}
    )


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("es-419", "¿Categoría principal? A gato"),
        ("zh-Hant-TW", "主要类别？Agato"),
        ("th", "Primary category? A gato"),
        ("pt-BR", "Primary category? A gato"),
    ],
)
def test_a_language_without_templates_takes_those_of_a_wider_one_else_english(
    language: Language, question: str
) -> None:
    assert [each.text for each in Prompts(pets(language), language).category_choice().questions] == [question]


def test_a_run_takes_chinese_where_the_taxonomy_has_it_else_its_first_language() -> None:
    router = ScriptedRouter([[1.0]])
    assert Tagger(load_settings(taxonomy=PHOTOS), ScriptedEngine([]), router=router).services.run.language == "zh"
    assert Tagger(load_settings(taxonomy=HOSTILE), ScriptedEngine([]), router=router).services.run.language == "de"


def test_a_language_without_labels_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SettingsError, match="taxonomy hostile has no labels in fr, only in de, ja, es, pl"):
        Prompts(TAXONOMY, "fr")
    with pytest.raises(TaxonomyError, match=r"categories\.animal\.label: has no text in fr"):
        parse_taxonomy({**yaml.safe_load(HOSTILE.read_text(encoding="utf-8")), "languages": ["de", "fr"]})


@pytest.mark.parametrize("language", TAXONOMY.languages)
def test_a_file_need_not_name_its_languages(language: Language) -> None:
    document = alone(language)
    named = parse_taxonomy(document)
    del document["languages"]
    assert parse_taxonomy(document) == named
    assert named.languages == (language,)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "document: Input should be a valid dictionary"),
        ("separators: []", "separators: Tuple should have at least 1 item"),
        ('separators: [", "]', "holds no comma"),
        ("light: ' '", "separators: Field required"),
        ("separators: [", "cannot be read"),
    ],
)
def test_a_wrong_language_file_is_reported_at_start(tmp_path: Path, text: str, mistake: str) -> None:
    templates = Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))
    file = templates / "de" / FILE
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PromptError) as caught:
        Prompts(TAXONOMY, "de", templates)
    assert caught.value.message.startswith(f"{file}: ")
    assert mistake in caught.value.message


def test_the_separators_are_the_folders(tmp_path: Path) -> None:
    templates = Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))
    (templates / "de" / FILE).write_text('separators: [" / "]', encoding="utf-8")
    (templates / "de" / "_compact.j2").write_text("mit {{ separator }} dazwischen", encoding="utf-8")
    prompts = Prompts(TAXONOMY, "de", templates)
    answer = Answer(category="animal", details={"size": ("smaller",), "seen": ()})
    assert prompts.fused("compact").write(answer) == "Tier / klein wie ein Floh / -"
    assert "mit  /  dazwischen" in prompts.fused("compact").text
