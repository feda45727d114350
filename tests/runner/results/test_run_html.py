"""What a notebook shows of a run."""

import re
from base64 import b64decode
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from schoolbell.runner import Pipeline, timetabling_pipeline
from schoolbell.stages import Batch, Stage
from schoolbell.stages.timetable import generate

NASTY = "<script>alert(1)</script>"


class Search(Stage):
    unit = "round"

    def __init__(self, solution="found", costs=(9, 7, 4), present=None, name="search"):
        self.solution, self.costs, self.show, self.name = solution, costs, present, name

    def run(self, state, budget):
        state.present = self.show
        for done, cost in enumerate(self.costs, 1):
            state.offer(self.solution, cost, 0)
            yield Batch(done, len(self.costs))


class Shown:
    def _repr_html_(self):
        return "<i>as it is</i>"


def html_of(*stages):
    return Pipeline(stages).fit(verbose=False, job_id="x")._repr_html_()


def tags(html):
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.append(tag)
    parser.feed(html)
    return found


def chart(html):
    return ElementTree.fromstring(b64decode(re.search(r"svg\+xml;base64,([^\"]+)", html)[1]))


def test_it_tells_status_best_and_stages():
    html = html_of(Search(), Search(name="later"))
    assert re.search(r"Run x: <b[^>]*>finished</b> in .*cost 4, violations 0", html)
    assert re.search(r"search</td><td[^>]*>3/3 round", html)
    assert ">later</td>" in html


def test_the_curve_is_an_image_of_every_step():
    drawing = chart(html_of(Search(costs=(9, 7, 4))))
    texts = [node.text for node in drawing.iter() if node.tag.endswith("text")]
    assert {"9", "4", "search"} <= set(texts)
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"


def test_a_long_run_has_a_short_curve():
    html = html_of(Search(costs=range(100_000, 0, -7)))
    assert len(html) < 30_000


@pytest.mark.parametrize("costs", [[float("inf")], [float("nan")], [5], [-3, -4], []])
def test_unusual_costs_are_no_problem(costs):
    assert html_of(Search(costs=costs)).startswith("<div>")


def test_the_solution_shows_itself_where_it_can():
    assert "<i>as it is</i>" in html_of(Search(Shown()))


def test_a_stage_may_say_how_a_solution_is_presented():
    assert "<i>as it is</i>" in html_of(Search("found", present=lambda solution: Shown()))


def test_another_solution_is_described_briefly_and_escaped():
    html = html_of(Search([NASTY] * 1000))
    assert "&lt;script&gt;" in html
    assert len(html) < 5000
    assert "script" not in tags(html)


def test_a_failed_run_tells_why_and_escapes_it():
    class Failing(Search):
        def run(self, state, budget):
            yield Batch(1)
            raise RuntimeError(NASTY * 100)

    pipeline = Pipeline([Failing()])
    with pytest.raises(RuntimeError):
        pipeline.fit(verbose=False)
    html = pipeline.run._repr_html_()
    assert "failed: RuntimeError: &lt;script&gt;" in html
    assert "no solution" in html
    assert len(html) < 3000
    assert "script" not in tags(html)


def test_a_timetabling_run_shows_the_cost_by_constraint_even_when_stopped_early():
    class Stop(Search):
        def run(self, state, budget):
            yield Batch(1, 1)
            raise KeyboardInterrupt

    stages = timetabling_pipeline(ga=None, rl=None, finalize=None).stages
    run = Pipeline([*stages, Stop()]).fit(generate(courses=12, seed=1), verbose=False)
    html = run._repr_html_()
    assert run.status == "interrupted"
    assert ">MinWorkingDays</td>" in html
    assert "<b>Curricula</b>" in html


def test_the_curve_s_axes_have_names_and_every_stage_is_named():
    stages = [Search(costs=[9 - k], name=f"stage{k}") for k in range(6)]
    texts = [node.text for node in chart(html_of(*stages)).iter() if node.tag.endswith("text")]
    assert {f"stage{k}" for k in range(6)} <= set(texts)
    assert "cost" in texts
    assert any(text.startswith("time") for text in texts)
