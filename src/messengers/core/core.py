"""The core as one object of nouns, opened and closed as a whole."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from anyio.abc import TaskGroup

from messengers.clock import Clock, SystemClock
from messengers.core.access import Access
from messengers.core.access_acts import AccessActs
from messengers.core.address import Address
from messengers.core.approvals import Approvals
from messengers.core.arrangements import Arrangements
from messengers.core.arrivals import Arrivals
from messengers.core.audit import Audit
from messengers.core.audit_log import AuditLog
from messengers.core.backfill import Backfill
from messengers.core.batches import Batches
from messengers.core.budgets import Budgets
from messengers.core.bulk import Bulk
from messengers.core.changes import Changes
from messengers.core.chats import Chats
from messengers.core.contacts import Contacts
from messengers.core.dead_letters import DeadLetters
from messengers.core.deliveries import Deliveries
from messengers.core.dispatch import Dispatch
from messengers.core.documents import Documents
from messengers.core.drafts import Drafts
from messengers.core.endpoints import Endpoints
from messengers.core.events import Events
from messengers.core.feed import Feed
from messengers.core.forms import Forms
from messengers.core.group_changes import GroupChanges
from messengers.core.groups import Groups
from messengers.core.history import History
from messengers.core.inbox import Inbox
from messengers.core.instances import Instances
from messengers.core.judging import Judging
from messengers.core.keys import Keys
from messengers.core.leaks import Leaks
from messengers.core.limits import Limits
from messengers.core.login import Login
from messengers.core.login_links import LoginLinks
from messengers.core.media import Media
from messengers.core.opt_outs import OptOuts
from messengers.core.outbox import Outbox
from messengers.core.owner_sessions import OwnerSessions
from messengers.core.pairings import Pairings
from messengers.core.people import People
from messengers.core.portraits import Portraits
from messengers.core.receipts import Receipts
from messengers.core.registry import Registry
from messengers.core.repeats import Repeats
from messengers.core.retention import Retention
from messengers.core.rounds import Rounds
from messengers.core.rulebook import Rulebook
from messengers.core.schedules import Schedules
from messengers.core.search import Search
from messengers.core.sending import Sending
from messengers.core.sources import Sources
from messengers.core.supervisor import Supervisor
from messengers.core.tickets import Tickets
from messengers.core.transcripts import Transcripts
from messengers.core.visitors import Visitors
from messengers.core.webhooks import Webhooks
from messengers.errors import MessengersError
from messengers.guarded import AllowedHosts, Guard
from messengers.providers.catalog import Catalog
from messengers.settings import Settings
from messengers.store import Store

__all__ = ["Core", "open_core"]

log = logging.getLogger(__name__)
_SWEEP_S = 30.0
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Core:
    """What the edges call. Each noun is built once and knows only the nouns it needs."""

    settings: Settings
    clock: Clock
    store: Store
    events: Events
    guard: Guard
    feed: Feed
    address: Address
    access: Access
    judging: Judging
    rulebook: Rulebook
    access_acts: AccessActs
    pairings: Pairings
    instances: Instances
    supervisor: Supervisor
    login: Login
    login_links: LoginLinks
    forms: Forms
    chats: Chats
    receipts: Receipts
    contacts: Contacts
    history: History
    search: Search
    media: Media
    sources: Sources
    documents: Documents
    transcripts: Transcripts
    arrivals: Arrivals
    portraits: Portraits
    inbox: Inbox
    dead_letters: DeadLetters
    deliveries: Deliveries
    outbox: Outbox
    approvals: Approvals
    audit: Audit
    audit_log: AuditLog
    owner_sessions: OwnerSessions
    sending: Sending
    bulk: Bulk
    batches: Batches
    schedules: Schedules
    rounds: Rounds
    opt_outs: OptOuts
    retention: Retention
    changes: Changes
    arrangements: Arrangements
    groups: Groups
    group_changes: GroupChanges
    visitors: Visitors
    keys: Keys
    leaks: Leaks
    limits: Limits
    tickets: Tickets
    dispatch: Dispatch
    webhooks: Webhooks


@asynccontextmanager
async def open_core(
    settings: Settings, clock: Clock | None = None, guard: Guard | None = None
) -> AsyncGenerator[Core]:
    """Open the store, bring the wanted instances up, resume what an earlier process left.

    On the way out calls under way get ten seconds, then everything is cancelled. The caller holds
    the data directory's lock.
    """
    clock = clock or SystemClock()
    private = AllowedHosts(settings.private_hosts)
    guard = guard or Guard(private, proxy=settings.egress_proxy)
    store = await Store.open(settings.home, clock, keyring=settings.keyring)
    try:
        async with anyio.create_task_group() as tasks:
            core = await _build(settings, clock, store, guard, tasks)
            tasks.start_soon(core.inbox.work)
            tasks.start_soon(core.feed.run)
            tasks.start_soon(core.feed.beat)
            tasks.start_soon(core.dispatch.run)
            tasks.start_soon(core.leaks.work)
            tasks.start_soon(core.pairings.work)
            await core.outbox.resume()
            await core.rounds.wake_all()
            await core.supervisor.start(tasks)
            tasks.start_soon(_sweep, core)
            if settings.media_download == "at_once":
                tasks.start_soon(core.arrivals.work)
            yield core
            with anyio.CancelScope(shield=True):
                await core.outbox.drain()
                await core.dispatch.drain()
                await core.keys.flush()
            tasks.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await guard.aclose()
            await store.aclose()


async def _build(
    settings: Settings, clock: Clock, store: Store, guard: Guard, tasks: TaskGroup
) -> Core:
    """Every noun once, from the ones that know nothing to the ones that join the others."""
    address, audit = Address(settings), Audit(store, clock)
    registry = Registry(store, Catalog(), clock, address, guard)
    events = Events(store, clock, registry.name_of)
    supervisor = Supervisor(registry, events, clock)
    forms, links = Forms(clock, address), LoginLinks(clock, address)
    instances = Instances(
        store, clock, events, registry, supervisor, forms, links, address, settings.confirm
    )
    await instances.load()
    access = Access(store, clock, registry)
    await access.load()
    chats = Chats(store, clock, events, instances, access)
    judging = Judging(store, instances, access)
    feed = Feed(store, events, instances, chats)
    backfill = Backfill(clock, events, instances, access)
    history = History(store, events, instances, chats, feed, backfill)
    media = Media(store, clock, settings, instances)
    sources = Sources(store, settings, guard, instances, chats, media)
    transcripts = Transcripts(settings, guard, events)
    inbox = Inbox(store, clock, events, instances, access, tasks)
    drafts = Drafts(store, clock, events, media, access, Budgets(clock, settings, instances))
    outbox = Outbox(store, clock, events, instances, media, drafts, tasks, settings.zone)

    def connected(instance_id: str) -> None:
        outbox.wake_instance(instance_id)
        backfill.connected(instance_id)

    supervisor.attach(inbox.ingest, connected)
    limits = Limits(clock, settings.requests_per_minute, settings.failures_per_minute)
    approvals = Approvals(store, clock, audit, address, events, instances, chats, limits)
    approvals.executors.update(instances.executors)
    leaks = Leaks(store, clock, chats)
    rulebook = Rulebook(store, clock, instances, chats, access, judging)
    repeats = Repeats(store, clock, outbox.steady)
    sending = Sending(
        store, clock, settings.zone, events, instances, chats, history, sources, drafts, outbox,
        approvals, repeats, leaks,
    )  # fmt: skip
    opt_outs = OptOuts(store, clock, instances, chats)
    batches = Batches(store, clock, events, instances, drafts, approvals, repeats)
    rounds = Rounds(
        store, clock, events, instances, access, drafts, outbox, opt_outs, batches,
        settings.bulk_per_minute, tasks,
    )  # fmt: skip
    groups = Groups(store, clock, events, instances, chats)
    keys = Keys(store, clock, settings.preset, settings.toolsets)
    await keys.load()
    endpoints = Endpoints(store, clock)
    dispatch = Dispatch(store, clock, events, feed, endpoints, guard, tasks)
    return Core(
        settings=settings,
        clock=clock,
        store=store,
        events=events,
        guard=guard,
        feed=feed,
        address=address,
        access=access,
        judging=judging,
        rulebook=rulebook,
        access_acts=AccessActs(rulebook, chats, instances, approvals),
        pairings=Pairings(store, clock, events, instances, drafts, outbox, rulebook),
        instances=instances,
        supervisor=supervisor,
        login=Login(store, registry, supervisor, address, audit),
        login_links=links,
        forms=forms,
        chats=chats,
        receipts=Receipts(store, audit, events, instances, chats),
        contacts=Contacts(store, instances, access),
        history=history,
        search=Search(store, instances, chats, history, backfill),
        media=media,
        sources=sources,
        documents=Documents(),
        transcripts=transcripts,
        arrivals=Arrivals(events, history, media, transcripts),
        portraits=Portraits(instances, chats, settings),
        inbox=inbox,
        deliveries=Deliveries(instances, supervisor),
        dead_letters=DeadLetters(store, events, instances, inbox, audit),
        outbox=outbox,
        approvals=approvals,
        audit=audit,
        audit_log=AuditLog(store, instances, keys),
        owner_sessions=OwnerSessions(store, clock, address),
        sending=sending,
        bulk=Bulk(
            store, clock, instances, chats, sending, opt_outs, repeats,
            settings.bulk_max_recipients,
        ),
        batches=batches,
        schedules=Schedules(store, clock, settings.zone, events, batches, drafts, approvals),
        rounds=rounds,
        opt_outs=opt_outs,
        retention=Retention(store, clock, registry),
        changes=Changes(clock, events, instances, chats, history, sending, approvals, leaks),
        arrangements=Arrangements(instances, chats, approvals),
        groups=groups,
        group_changes=GroupChanges(
            instances, chats, groups, People(store, chats), media, sources, approvals, leaks
        ),
        visitors=Visitors(store, clock, instances, chats, history, media),
        keys=keys,
        leaks=leaks,
        limits=limits,
        tickets=Tickets(clock, keys),
        dispatch=dispatch,
        webhooks=Webhooks(
            store, clock, events, instances, feed, guard, AllowedHosts(settings.private_hosts),
            endpoints, dispatch,
        ),
    )  # fmt: skip


async def _sweep(core: Core) -> None:
    """What only time ends, and lanes that a passing fault of the disk put to rest."""
    hour_ends_at = 0.0
    while True:
        await anyio.sleep(_SWEEP_S)
        try:
            if core.clock.monotonic_s() >= hour_ends_at:
                hour_ends_at = core.clock.monotonic_s() + _HOUR_S
                await core.media.expire()
                if core.settings.events_keep_days:
                    await core.events.expire(core.settings.events_keep_days)
                if core.settings.audit_keep_days:
                    await core.audit.expire(core.settings.audit_keep_days)
            await core.approvals.expire()
            await core.rulebook.sweep()
            await core.pairings.expire()
            await core.webhooks.expire()
            await core.keys.flush()
            await core.outbox.expire()
            await core.outbox.wake_all()
            await core.rounds.wake_all()
            await core.retention.sweep()
        except MessengersError as exc:
            log.warning("the sweep was cut short: %s", exc)
