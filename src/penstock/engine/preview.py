"""What a download would do: everything up to its first byte is done, and nothing of it is kept.

The server is asked as a run would ask it, once (redirects and retries aside), and its answer is broken off after the
head. On the disk things are looked at only (see `outlook`). Errors are those of a run.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from penstock.core.answer import Answer, Partial, Unsatisfied, Whole
from penstock.core.naming import choose_name
from penstock.core.ranges import RangeSet
from penstock.core.resume import Continue, Record, Refuse, Restart, plan_resume, settle_resume
from penstock.core.urls import redact
from penstock.engine.beginning import first_range, known_from, name_from, nothing_to_have, split_output, trust_of
from penstock.engine.context import Context
from penstock.engine.document import Watch
from penstock.engine.fits import check_fits, check_length
from penstock.engine.outlook import Outlook, check_room, look, look_behind
from penstock.engine.patience import Patience
from penstock.engine.probe import Opened, probe
from penstock.errors import CannotResume, NetworkError, ProtocolError, ServerRefused
from penstock.model import Preview, Representation
from penstock.store.part import PART_SUFFIX


async def preview(context: Context) -> Preview:
    """What a download of the context's request would do; raises the DownloadError that it would end in."""
    watch = Watch(context)
    try:
        while True:
            try:
                return await _by_this_source(context)
            except (NetworkError, ServerRefused, ProtocolError) as error:
                if not context.next_source():
                    raise
                context.warn(f"{error.message}; trying {context.shown_url}")
    finally:
        watch.stop()


async def _by_this_source(context: Context) -> Preview:
    outlook = await _look_first(context)
    if outlook is not None and (known := _without_asking(context, outlook)) is not None:
        return known
    plan = Restart("") if outlook is None else _plan(context, outlook)
    opened, answer = await probe(
        context,
        Patience(context),
        range_header=first_range(plan, outlook, context.options.min_segment),
        if_range=plan.validator.value if isinstance(plan, Continue) and plan.validator is not None else None,
    )
    try:
        if outlook is None:
            folder, policy = context.request.directory, context.options.if_exists
            outlook = await context.disk(partial(look, folder, name_from(answer, context.url), policy))
            if (known := _without_asking(context, outlook)) is not None:
                return known
            plan = _plan(context, outlook)
        if isinstance(plan, Continue) and isinstance(outlook.found, Record):
            strict = outlook.found.source != context.source  # adopted from another URL
            settled = settle_resume(outlook.found, answer, strict=strict)
            plan = settled if isinstance(settled, Restart) else plan
        return await _foretold(context, outlook, plan, opened, answer)
    finally:
        opened.drop()


async def _look_first(context: Context) -> Outlook | None:
    """At the target, as far as its name is known before the server is asked."""
    request, policy = context.request, context.options.if_exists
    if request.output is not None:
        folder, name = split_output(request.directory, request.output)
        return await context.disk(partial(look, folder, name, policy))
    guess = choose_name(disposition=None, url=context.url, media_type=None)
    return await context.disk(partial(look_behind, request.directory, guess, policy))


def _without_asking(context: Context, outlook: Outlook) -> Preview | None:
    """What is known without the server's answer; None when that is needed."""
    if outlook.left_size is not None:
        return Preview(
            action="skip",
            url=context.shown_url,
            path=outlook.path,
            length=outlook.left_size,
            why="it is there already",
            exists=True,
        )
    if outlook.published:
        check_length(context, outlook.part_size)
        return Preview(
            action="finish",
            url=context.shown_url,
            path=outlook.path,
            length=outlook.part_size,
            kept=outlook.part_size,
            why="an earlier run was stopped after it gave the file its name",
            exists=True,
            checksum=context.request.checksum,
        )
    return None


def _plan(context: Context, outlook: Outlook) -> Continue | Restart:
    plan = plan_resume(
        outlook.found, source=context.source, part_size=outlook.part_size, trust=trust_of(context.request)
    )
    if isinstance(plan, Refuse):
        part = Path(f"{outlook.path}{PART_SUFFIX}")
        raise CannotResume(f"{part}: {plan.why}", url=context.shown_url)
    return plan


async def _foretold(
    context: Context, outlook: Outlook, plan: Continue | Restart, opened: Opened, answer: Answer
) -> Preview:
    done = plan.done if isinstance(plan, Continue) else RangeSet()
    known = known_from(answer, outlook, done)
    if known is None:
        assert isinstance(answer, Unsatisfied)
        if outlook.found is None:
            raise nothing_to_have(context.shown_url)
        known = Representation(length=answer.total)
        plan = plan if isinstance(plan, Restart) and plan.why else Restart("the server has no such bytes any more")
    check_fits(context, known)
    if known.length is not None:
        await context.disk(partial(check_room, outlook, known.length))
    why = plan.why if isinstance(plan, Restart) else ""
    return Preview(
        action=_action(done, known.length, why),
        url=context.shown_url,
        final_url=redact(opened.url),
        path=outlook.path,
        length=known.length,
        accepts_ranges=None if why and isinstance(answer, Whole) else _is_ranged(answer, known),
        validator=known.validator,
        media_type=known.media_type,
        kept=done.size,
        why=why,
        exists=outlook.exists,
        checksum=context.request.checksum,
        digest=known.digests[0] if known.digests else None,
    )


def _is_ranged(answer: Answer, known: Representation) -> bool:
    return isinstance(answer, Partial | Unsatisfied) and known.length is not None


def _action(done: RangeSet, length: int | None, why: str) -> str:
    if not done:
        return "restart" if why else "fetch"
    return "finish" if done.size == length else "resume"
