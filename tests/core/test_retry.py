from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.retry import (
    BACKOFF_CAP,
    FIRST_CONTACT_TRIES,
    PASSING_STATUSES,
    Cause,
    Failure,
    GiveUp,
    Policy,
    Wait,
    decide,
    in_words,
)

#: What becomes of each cause by (the origin never answered, it did) × (first failure, third, twentieth in a
#: row).
RETRY, STOP = True, False
DECISIONS = {
    #                       not contacted            contacted
    #                       1st    3rd   20th        1st    3rd    20th
    Cause.NAME_RESOLUTION: ((RETRY, STOP, STOP), (RETRY, RETRY, STOP)),
    Cause.REFUSED: ((RETRY, STOP, STOP), (RETRY, RETRY, STOP)),
    Cause.UNREACHABLE: ((RETRY, STOP, STOP), (RETRY, RETRY, STOP)),
    Cause.CONNECT_TIMEOUT: ((RETRY, STOP, STOP), (RETRY, RETRY, STOP)),
    Cause.TLS_HANDSHAKE: ((RETRY, STOP, STOP), (RETRY, RETRY, STOP)),
    Cause.TLS_CERTIFICATE: ((STOP, STOP, STOP), (STOP, STOP, STOP)),
    Cause.PROXY: ((RETRY, STOP, STOP), (RETRY, RETRY, STOP)),
    Cause.PRIVATE: ((STOP, STOP, STOP), (STOP, STOP, STOP)),
    Cause.RESET: ((RETRY, RETRY, STOP), (RETRY, RETRY, STOP)),
    Cause.STALLED: ((RETRY, RETRY, STOP), (RETRY, RETRY, STOP)),
    Cause.CUT: ((RETRY, RETRY, STOP), (RETRY, RETRY, STOP)),
    Cause.BAD_RESPONSE: ((RETRY, STOP, STOP), (RETRY, RETRY, STOP)),
    Cause.STATUS: ((RETRY, RETRY, STOP), (RETRY, RETRY, STOP)),
    Cause.OTHER: ((RETRY, STOP, STOP), (RETRY, RETRY, STOP)),
}
ATTEMPTS = (1, 3, 20)


def judge(
    failure: Failure,
    *,
    attempt: int = 1,
    contacted: bool = True,
    elapsed: float = 0.0,
    jitter: float = 0.5,
    policy: Policy = Policy(),  # noqa: B008 - frozen
) -> Wait | GiveUp:
    return decide(failure, attempt=attempt, contacted=contacted, elapsed=elapsed, jitter=jitter, policy=policy)


def failure_of(cause: Cause) -> Failure:
    return Failure(cause, "it broke", status=503 if cause is Cause.STATUS else 0)


def refused_with(status: int, **given: bool) -> GiveUp:
    decision = judge(Failure(Cause.STATUS, "", status=status), **given)  # type: ignore[arg-type]
    assert isinstance(decision, GiveUp)
    return decision


def test_the_table_knows_every_cause() -> None:
    assert set(DECISIONS) == set(Cause)


@pytest.mark.parametrize("contacted", [False, True], ids=["first contact", "contacted"])
@pytest.mark.parametrize("cause", Cause)
def test_F33_each_cause_is_retried_or_given_up_as_the_table_says(cause: Cause, contacted: bool) -> None:
    retried = tuple(
        isinstance(judge(failure_of(cause), attempt=attempt, contacted=contacted), Wait) for attempt in ATTEMPTS
    )
    assert retried == DECISIONS[cause][contacted]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524])
def test_F23_a_passing_status_is_waited_for(status: int) -> None:
    assert isinstance(judge(Failure(Cause.STATUS, "", status=status), contacted=False), Wait)


@pytest.mark.parametrize("status", sorted({*range(400, 452), 501, 505, 507, 511, 525, 304} - PASSING_STATUSES))
def test_F24_any_other_status_is_final_and_named(status: int) -> None:
    assert refused_with(status, contacted=False).why.startswith(f"HTTP {status}")
    assert not refused_with(status, contacted=False).resumable


def test_F24_a_final_status_comes_with_its_phrase_and_a_hint() -> None:
    assert refused_with(404, contacted=False).why == "HTTP 404 Not Found: check the URL"
    assert "-u user:password or --netrc" in refused_with(401, contacted=False).why
    assert refused_with(451, contacted=False).why == "HTTP 451 Unavailable For Legal Reasons"
    assert refused_with(499, contacted=False).why == "HTTP 499"


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_F24_a_link_that_runs_out_midway_can_be_resumed_with_a_fresh_one(status: int) -> None:
    decision = refused_with(status, contacted=True)
    assert decision.resumable
    assert "fresh URL" in decision.why


def test_a_proxy_that_asks_for_credentials_is_not_asked_again() -> None:
    decision = judge(Failure(Cause.PROXY, "CONNECT failed", status=407), contacted=False)
    assert isinstance(decision, GiveUp)
    assert "--proxy http://user:password@" in decision.why


def test_a_proxy_in_trouble_is_asked_again() -> None:
    assert isinstance(judge(Failure(Cause.PROXY, "CONNECT failed", status=503)), Wait)


def test_F33_an_untrusted_certificate_is_told_in_its_own_words() -> None:
    decision = judge(Failure(Cause.TLS_CERTIFICATE, "unable to get local issuer"), contacted=False)
    assert decision == GiveUp("unable to get local issuer; --cacert FILE trusts another authority", resumable=False)


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("SSL certificate problem: certificate has expired", "check the clock"),
        ("SSL certificate problem: certificate is not yet valid", "check the clock"),
        ("SSL: no alternative certificate subject name matches target host name 'a'", "check the host in the URL"),
        ("the CA certificates could not be read (error setting certificate file: x)", "check the file of --cacert"),
        ("SSL certificate problem: self-signed certificate", "--cacert FILE trusts another authority"),
    ],
)
def test_F33_what_to_do_about_a_certificate_depends_on_what_is_wrong_with_it(said: str, advice: str) -> None:
    decision = judge(Failure(Cause.TLS_CERTIFICATE, said), contacted=False)
    assert isinstance(decision, GiveUp)
    assert advice in decision.why


def test_F24_a_login_that_was_refused_is_not_told_to_be_given() -> None:
    unauthorised = Failure(Cause.STATUS, "", status=401)
    refused = decide(unauthorised, attempt=1, contacted=False, elapsed=0, jitter=0, policy=Policy(), has_login=True)
    assert isinstance(refused, GiveUp)
    assert refused.why.endswith("the login was not accepted; check the user name and the password")


@pytest.mark.parametrize("cause", sorted(set(Cause) - {Cause.TLS_CERTIFICATE, Cause.PRIVATE, Cause.OTHER}, key=str))
def test_whoever_gives_up_says_what_to_do_next(cause: Cause) -> None:
    decision = judge(failure_of(cause), attempt=20)
    assert isinstance(decision, GiveUp)
    assert "; " in decision.why


@pytest.mark.parametrize("cause", [Cause.RESET, Cause.STALLED, Cause.CUT])
def test_F19_a_connection_that_broke_after_progress_is_replaced_at_once(cause: Cause) -> None:
    decision = judge(failure_of(cause), attempt=1, jitter=0.999)
    assert isinstance(decision, Wait)
    assert decision.seconds <= 0.1


def test_the_wait_doubles_up_to_its_cap() -> None:
    waits = [judge(failure_of(Cause.REFUSED), attempt=n, jitter=0.5, policy=Policy(max_tries=0)) for n in range(1, 10)]
    assert waits == [Wait(s) for s in (0.25, 0.5, 1, 2, 4, 8, 15, 15, 15)]


def test_giving_up_names_the_tries_and_the_last_failure() -> None:
    reset = Failure(Cause.RESET, "connection reset")
    assert judge(reset, attempt=20) == GiveUp(
        "gave up after 20 tries: connection reset; try again later", resumable=True
    )
    assert judge(reset, attempt=1, policy=Policy(max_tries=1)) == GiveUp(
        "gave up after 1 try: connection reset; try again later", resumable=True
    )
    busy = Failure(Cause.STATUS, "", status=503)
    assert judge(busy, attempt=20) == GiveUp(
        "gave up after 20 tries: HTTP 503 Service Unavailable; try again later, or ask for less at once (-x 1)",
        resumable=True,
    )


def test_giving_up_sooner_says_that_nobody_has_answered() -> None:
    refused = Failure(Cause.REFUSED, "connection refused")
    assert judge(refused, attempt=FIRST_CONTACT_TRIES, contacted=False) == GiveUp(
        "gave up after 3 tries without a valid answer: connection refused; check host and port, or try again later",
        resumable=True,
    )
    assert isinstance(judge(refused, attempt=FIRST_CONTACT_TRIES, contacted=True), Wait)


def test_no_limit_of_tries_means_none() -> None:
    assert isinstance(judge(failure_of(Cause.RESET), attempt=10**9, policy=Policy(max_tries=0)), Wait)


def test_F22_retry_after_is_obeyed() -> None:
    assert judge(Failure(Cause.STATUS, "", status=429, retry_after=120.0)) == Wait(120.0)


def test_F22_a_retry_after_in_the_past_leaves_the_ordinary_wait() -> None:
    assert judge(Failure(Cause.STATUS, "", status=503, retry_after=-5.0), jitter=0.5) == Wait(0.25)


def test_F22_a_retry_after_absurdly_far_ends_with_when_to_come_back() -> None:
    decision = judge(Failure(Cause.STATUS, "", status=503, retry_after=7200.0))
    assert decision == GiveUp("HTTP 503 Service Unavailable: the server asks to come back in 2 hours", resumable=True)


def test_the_deadline_is_not_waited_past() -> None:
    late = Failure(Cause.STATUS, "", status=503, retry_after=20.0)
    decision = judge(late, elapsed=50.0, policy=Policy(deadline=60.0))
    assert decision == GiveUp(
        "the deadline of 60 s leaves no time for another try: HTTP 503 Service Unavailable; give more with --deadline",
        resumable=True,
    )
    assert judge(late, elapsed=30.0, policy=Policy(deadline=60.0)) == Wait(20.0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (90, "90 s"),
        (301, "6 minutes"),
        (7200, "2 hours"),
        (10_000, "3 hours"),
        (1e6, "12 days"),
    ],
)
def test_durations_are_told_in_words_and_never_too_short(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


FAILURES = st.builds(
    Failure,
    st.sampled_from(Cause),
    st.just("it broke"),
    status=st.sampled_from([0, 404, 407, 429, 503, 999]),
    retry_after=st.none() | st.floats(-1e6, 1e6),
)
POLICIES = st.builds(
    Policy,
    max_tries=st.integers(0, 50),
    deadline=st.none() | st.floats(0.1, 1e4),
    max_retry_after=st.floats(0, 1e4),
)


@given(FAILURES, st.integers(1, 10**6), st.booleans(), st.floats(0, 1e4), st.floats(0, 0.999), POLICIES)
def test_a_wait_keeps_every_bound(
    failure: Failure, attempt: int, contacted: bool, elapsed: float, jitter: float, policy: Policy
) -> None:
    decision = decide(failure, attempt=attempt, contacted=contacted, elapsed=elapsed, jitter=jitter, policy=policy)
    if isinstance(decision, GiveUp):
        assert decision.why
        return
    assert 0 <= decision.seconds <= max(BACKOFF_CAP, policy.max_retry_after)
    assert decision.seconds >= (failure.retry_after or 0.0)
    assert policy.max_tries == 0 or attempt < policy.max_tries
    assert (
        contacted
        or attempt < FIRST_CONTACT_TRIES
        or failure.cause in {*(Cause.RESET, Cause.STALLED, Cause.CUT, Cause.STATUS)}
    )
    assert policy.deadline is None or elapsed + decision.seconds < policy.deadline
