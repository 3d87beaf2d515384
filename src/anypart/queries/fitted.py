"""`Fitted`: a schema and a model with every verb on them, immutable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from anypart.base.errors import QuestionError
from anypart.base.frozen import FrozenDict, freeze
from anypart.base.written import shares
from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.packed import PackedCodes
from anypart.data.schema import Schema
from anypart.models.contract import Model
from anypart.queries import asking, saved
from anypart.queries.answer import Answer
from anypart.queries.auditing import FIELDS, audit_batch
from anypart.queries.completing import Filled, fill_rows
from anypart.queries.conditions import Given
from anypart.queries.deciding import Metric, decide
from anypart.queries.dependence import dependence
from anypart.queries.drawing import draw_blocks
from anypart.queries.estimates import Estimate, together
from anypart.queries.exactness import EACH_CELL_ALONE, label
from anypart.queries.gaps import Gaps, count_gaps
from anypart.queries.meaning import Reader
from anypart.queries.representing import Cells, represent_rows
from anypart.queries.scoring import score_blocks
from anypart.queries.similar import nearest
from anypart.queries.tables import give_back, kind_of

BLOCK = 4096
CLIMBED = "the most likely row was searched for by climbing from each cell's mode"


@dataclass(frozen=True)
class Fitted:
    """A fitted table: ask for any part, given any other part.

    Rows may be a file or any kind of table; tables come back in the caller's kind (pandas,
    Polars, else Arrow). Cells without a value are unseen. Rows are read in blocks of 4,096.

    Args:
        schema: the columns.
        model: p(row) over the schema's codes.
        gaps: where the training table had gaps; None if that is not known.
        metadata: how it was fitted: plan, seed, likelihoods, library version.
        baselines: simpler models of the same rows, by name, that scores compare with.

    """

    schema: Schema
    model: Model
    gaps: Gaps | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    baselines: Mapping[str, Model] = field(default_factory=dict[str, Model])

    def __post_init__(self) -> None:
        object.__setattr__(self, "metadata", freeze(self.metadata))
        object.__setattr__(self, "baselines", FrozenDict(self.baselines))
        assert self.model.layout.n_cats == self.codec.n_cats, "a model of the schema's columns"

    def __repr__(self) -> str:
        """Show of what table this is a fit, and which members it has."""
        about, columns = self.metadata, len(self.schema.columns)
        purpose = f", purpose {about['purpose']}" if "purpose" in about else ""
        lines = [
            f"A fit of {self.schema.n_rows:,} rows, "
            f"{len(self.schema.modelled):,} of {columns:,} columns modelled{purpose}",
            f"  members: {shares(about.get('weights', {}))}" if about.get("weights") else "",
        ]
        for text, own in about.get("questions", {}).items():
            lines.append(f"  {text}: {shares(own)}")
        return "\n".join(filter(None, lines))

    @staticmethod
    def of(codec: Codec, model: Model, packed: PackedCodes, metadata: Mapping[str, Any]) -> Fitted:
        """Make a fit of what training returned, and count where the training rows have gaps."""
        gaps = count_gaps(packed.rows, packed.n_rows, codec.schema.modelled)
        return Fitted(codec.schema, model, gaps, metadata)

    @cached_property
    def codec(self) -> Codec:
        """Values ↔ codes."""
        return Codec(self.schema)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.codec)

    def log_prob(self, rows: Any, *, question: str | None = None, bits: bool = False) -> Answer:
        """Score rows: the log-density of their seen cells, in the columns' own units.

        Args:
            rows: a file or table.
            question: as `income | *` or `* | letter`: how likely the row's asked cells are
                given its given ones; cells of columns that it does not name do not count.
            bits: in bits instead of nats.

        Returns:
            An array (rows,); 0 for a row with nothing seen. `details["unknown"]` counts,
            by column, values that have no code and were left unseen.

        Raises:
            FitError: that is no question.
            ColumnError: it names a column that is not there.

        """
        parts, unknown = [np.zeros(0)], Counter[str]()
        drawn, whole, reason = list[Estimate](), True, ""
        for found, lost in score_blocks(self.model, self.codec, rows, question):
            parts.append(found.value)
            drawn += [] if found.error is None else [found]
            whole, reason = whole and found.whole, reason or found.reason
            unknown.update(lost)
        unit = np.log(2.0) if bits else 1.0
        asked = f"log p({question or 'row'}) in {'bits' if bits else 'nats'}"
        value = np.concatenate(parts) / unit
        worth = together(drawn)
        return label(
            value,
            self.model,
            asked,
            error=worth.error,
            effective=worth.effective,
            whole=whole,
            reason=reason,
            scale=1 / unit,
            details={"unknown": dict(unknown)},
        )

    def score_batches(
        self, rows: Any, *, question: str | None = None, unknown: Counter[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Score a table larger than memory: batches of `row` and `log_prob` in nats.

        Args:
            rows: a file or table.
            question: as in `log_prob`.
            unknown: counts, by column, values that have no code and were left unseen.

        """
        start = 0
        for found, lost in score_blocks(self.model, self.codec, rows, question):
            scores = found.value
            if unknown is not None:
                unknown.update(lost)
            row = np.arange(start, start + len(scores))
            yield pa.RecordBatch.from_pydict({"row": row, "log_prob": scores})
            start += len(scores)

    def ask(self, *columns: str, given: Given = None, rows: Any = None) -> Answer:
        """Ask for the distribution of a column, or of several jointly, given anything.

        Args:
            columns: what is asked.
            given: conditions, as 'age > 50' or {"sex": "Female"} (see `conditions`).
            rows: a table: one column is answered for each row, given the row's other
                seen cells and the conditions.

        Returns:
            A table: `value` and `probability` of every category or cell (and for numbers
            `low` and `high`, with mean, sd, median, q05 and q95 in `details`); for several
            columns one row a combination; with `rows` one row each, one column a category,
            or the five numbers.

        """
        if not columns:
            raise QuestionError(
                "No column is asked for. Name one, as ask('age'), `anypart ask FOLDER age`."
            )
        found, event = self._reader.find_all(columns), self._reader.event(given)
        if rows is None:
            if len(found) == 1:
                return asking.ask_one(self._reader, self.model, found[0], event)
            return asking.ask_joint(self._reader, self.model, found, event)
        at, *others = found
        if others:
            raise QuestionError("With rows, one column is asked at a time.")
        parts, drawn = list[pa.Table](), list[Estimate]()
        for batch in read(rows).batches(BLOCK):
            table, worth = asking.ask_rows(self._reader, self.model, at, event, batch)
            parts.append(table)
            drawn.append(worth)
        value = give_back(pa.concat_tables(parts), kind_of(rows)) if parts else pa.table({})
        question = f"{asking.spell(columns, event)} for each row"
        worth = together(drawn)
        return label(
            value,
            self.model,
            question,
            error=worth.error,
            effective=worth.effective,
            whole=all(d.whole for d in drawn),
            reason=next((d.reason for d in drawn if d.reason), ""),
        )

    def probability(self, event: Given, given: Given = None) -> Answer:
        """Ask how probable conditions are, given others: a number in [0, 1]."""
        return asking.ask_probability(self._reader, self.model, event, given)

    def sample(
        self, n: int = 10, *, given: Given = None, seed: int = 0, with_missing: bool = False
    ) -> Answer:
        """Make rows like the table's, every one meeting the conditions.

        Args:
            n: how many.
            given: conditions.
            seed: of the draws.
            with_missing: leave gaps where the training table had them in such rows, as whole
                patterns.

        Returns:
            An Arrow table of the modelled columns.

        """
        blocks = self.sample_blocks(n, given=given, seed=seed, with_missing=with_missing)
        event = self._reader.event(given)
        asked = f"{n} rows given {event.text}" if event.text else f"{n} rows"
        whole = not event.parts  # every family draws whole rows as it is
        return label(pa.concat_tables(blocks), self.model, asked, whole=whole)

    def sample_blocks(
        self, n: int = 10, *, given: Given = None, seed: int = 0, with_missing: bool = False
    ) -> Iterator[pa.Table]:
        """Make the rows of `sample` block by block, however many, in constant memory."""
        gaps = (self.gaps or self._no_gaps()) if with_missing else None
        return draw_blocks(self._reader, self.model, self._reader.event(given), n, seed, gaps)

    @staticmethod
    def _no_gaps() -> Gaps:
        raise QuestionError(
            "This fit does not know where its table had gaps. Sample without with_missing."
        )

    def complete(self, rows: Any, *, how: str = "draw", draws: int = 1, seed: int = 0) -> Answer:
        """Fill the empty cells of rows; cells with a value are never touched.

        Args:
            rows: a file or table; modelled columns it lacks are added.
            how: draw (jointly), mode, mean or median (each cell for itself; categories
                their mode), likely (the jointly most likely row).
            draws: completed tables below each other, told apart by a first column `draw`.
            seed: of the draws.

        Returns:
            The table. `details["cells"]`: row, column, value and probability given what
            is seen (of its category or cell) for every filled cell, of the first draw;
            `details["unknown"]`: by column, how many values have no code and counted as empty
            for the other cells of their row.

        """
        blocks = list(self.complete_blocks(rows, how=how, draws=draws, seed=seed))
        value = give_back(pa.concat_tables([b.table for b in blocks]), kind_of(rows))
        climbed = how == "likely" and not hasattr(self.model, "most_likely")
        unknown = Counter[str]()
        for block in blocks:
            unknown.update(block.unknown)
        details = {"cells": pa.concat_tables([b.cells for b in blocks]), "unknown": dict(unknown)}
        question = f"empty cells by {how}"
        reason = CLIMBED if climbed else ""
        return label(value, self.model, question, reason=reason, details=details)

    def complete_blocks(
        self, rows: Any, *, how: str = "draw", draws: int = 1, seed: int = 0
    ) -> Iterator[Filled]:
        """Complete a table larger than memory: the rows and cells of `complete` by blocks."""
        return fill_rows(self._reader, self.model, rows, how, draws, seed)

    def decide(
        self,
        rows: Any,
        column: str,
        metric: Metric = "accuracy",
        *,
        positive: Any = None,
        given: Given = None,
    ) -> Answer:
        """Choose the labels of a column that maximise an expected metric over all the rows.

        Args:
            rows: a file or table; its own values of the column are not looked at.
            column: of labels.
            metric: accuracy; f1, f2, f0.5 or any F-beta of one label; macro-f1 or any
                macro F-beta, the mean over all labels; or what deciding one label costs
                when another is true, {decision: {truth: cost}}, where a decision may also be
                something else, as "ask a person".
            positive: the label that F is about.
            given: conditions.

        Returns:
            A table: the decided labels, and the probability of each; with costs also the
            expected cost. `details["expected"]`: the expected metric, or mean cost.

        """
        return decide(self._reader, self.model, rows, column, metric, positive, given)

    def audit(self, rows: Any, *, top: int = 20) -> Answer:
        """Find the cells that the rest of their row speaks against.

        Args:
            rows: a file or table.
            top: how many cells.

        Returns:
            A table, most surprising first: row (from 0), column, value, beyond (`below` or
            `above` everything the fit was trained on, or null), expected (the most likely
            value), probability and expected_probability given the rest of the row, surprise
            in nats above what a draw from the model would have.

        """
        if top < 1:
            raise QuestionError(f"The {top} most surprising cells were asked. Ask for 1 or more.")
        best, start = None, 0
        for batch in read(rows).batches(BLOCK):
            found = audit_batch(self._reader, self.model, batch, top, start)
            both = found if best is None else pa.concat_tables([best, found])
            best = both.sort_by([("surprise", "descending"), ("row", "ascending")]).slice(0, top)
            start += batch.num_rows
        value = give_back(FIELDS.empty_table() if best is None else best, kind_of(rows))
        reason = "" if self.model.ability.any_part else EACH_CELL_ALONE
        asked = f"the {top} most surprising cells of {start:,} rows"
        return label(value, self.model, asked, whole=True, reason=reason)

    def dependence(self, *, given: Given = None) -> Answer:
        """Say how many nats each column tells about each other one, given anything.

        Returns:
            A table, strongest first: first, second, nats, normalised (in [0, 1]);
            `details["matrix"]` the same as (cols, cols), entropies on the diagonal.

        """
        return dependence(self._reader, self.model, self._reader.event(given))

    def represent(self, rows: Any, *, of: str = "cells") -> NDArray[np.float32]:
        """Give a vector for each row, (rows, dims).

        Args:
            rows: a file or table.
            of: `cells`, what the row says and what the fit expects of each of its cells given
                others (see `queries.representing`); `latent`, the posterior of latent states
                or the features of a network, of the member with most weight.

        """
        blocks = represent_rows(self._cells, self.codec, read(rows).batches(BLOCK), of)
        return np.concatenate(list(blocks))

    @cached_property
    def _cells(self) -> Cells:
        return Cells(self.model, [c.kind.numeric for c in self._reader.columns])

    def similar(self, rows: Any, table: Any, *, k: int = 5) -> Answer:
        """Find the rows of a table most like given ones, by the angle of their `cells` vectors.

        Returns:
            A table: query and row (numbers from 0), similarity (cosine), then the row.

        """
        blocks = ((b, self.represent(b)) for b in read(table).batches(BLOCK))
        value = give_back(nearest(self.represent(rows), blocks, k), kind_of(table))
        return label(value, self._cells.asked, f"the {k} nearest rows")

    def save(self, folder: str | Path) -> Path:
        """Save as a directory of JSON and safetensors; an older fit there is replaced."""
        return saved.save(self, Path(folder))
