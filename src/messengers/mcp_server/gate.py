"""The one gate before every tool: admission, arguments, the words of errors, no secret in answers.

The SDK turns what a tool raises into text below its middleware, so the gate stands in two places
of one server: around `call_tool`, where the exception is still one, and around every message.
"""

import logging
import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import (
    ToolError,
    UnexpectedResourceError,
    UnexpectedToolError,
)
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, CallToolResult, InputRequiredResult, TextContent
from pydantic import AnyUrl, ValidationError
from starlette.requests import HTTPConnection

from messengers.core.callers import Caller
from messengers.errors import Ambiguous, InvalidInput, MessengersError, RateLimited
from messengers.mcp_server.channel import advertised
from messengers.mcp_server.context import Asking, asking
from messengers.mcp_server.faults import check_names, check_text, wrong_types
from messengers.mcp_server.lines import candidate
from messengers.mcp_server.results import untrusted
from messengers.mcp_server.schemas import same_in_both_eras
from messengers.mcp_server.table import TABLE, Row, scope_of
from messengers.mcp_server.text import Visible
from messengers.mcp_server.transports import Surface, caller_of
from messengers.redaction import redact_answer, redact_texts

__all__ = ["GatedServer", "shape"]

log = logging.getLogger(__name__)
_UNKNOWN = "No such tool. tools/list names those there are."
_BINARY = frozenset({"data", "blob", "requestState"})
"""Fields of an answer that are no text: files, and the state of a question, sealed after us."""


_ROWS = {row.name: row for row in TABLE}


class GatedServer(MCPServer[Surface]):
    """An MCP server whose tools are those of the table; `shape` is its middleware."""

    async def call_tool(
        self,
        name: str,
        arguments: dict[str, Any],
        context: Context[Surface, Any] | None = None,
    ) -> CallToolResult | InputRequiredResult:
        """Every failure is an error result in our words."""
        if context is None:
            raise ToolError("A tool is called in a request only.")
        call = asking(context)
        row = _ROWS.get(name)
        if row is None or not row.open_to(call.caller):
            return _error(_UNKNOWN)
        try:
            counted = isinstance(context.request_context.request, HTTPConnection)
            call.core.limits.call(call.caller, name, row.kind, counted=counted)
            check_text(arguments)
            check_names(arguments, row.parameters)
            return await super().call_tool(name, arguments, context)
        except (InvalidInput, RateLimited) as exc:
            return _error(await _worded(call, row, exc))
        except ToolError as exc:
            return _error(await _explained(call, row, exc))

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Surface, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """Every failure in our words, and nothing for keys that lack its scope."""
        scope = scope_of(str(uri))
        if context is None or scope is None:
            raise MCPError(INVALID_PARAMS, "There is no such resource.")
        if not caller_of(context.request_context).may(scope):
            raise MCPError(INVALID_PARAMS, f"This key lacks the scope {scope}.")
        try:
            return await super().read_resource(uri, context)
        except UnexpectedResourceError as exc:
            cause = exc.__cause__
            while cause is not None and not isinstance(cause, MessengersError):
                cause = cause.__cause__
            if cause is None:
                raise
            raise MCPError(INVALID_PARAMS, f"{cause.cause} {cause.remedy}".strip()) from exc


async def _explained(call: Asking, row: Row, error: ToolError) -> str:
    """The words for what the SDK wrapped."""
    cause = error.__cause__
    if isinstance(cause, MessengersError):
        return await _worded(call, row, cause)
    if isinstance(cause, ValidationError) and not isinstance(error, UnexpectedToolError):
        return await _worded(call, row, wrong_types(cause))
    if not isinstance(error, UnexpectedToolError):
        return await _worded(call, row, InvalidInput("The client's answer to the form is damaged."))
    reference = secrets.token_hex(4)
    log.error("tool %s failed, reference %s", row.name, reference, exc_info=cause)
    told = f"Something went wrong inside Messengers; the log has it under {reference}."
    return f"{told} {row.closing()}".strip()


async def _worded(call: Asking, row: Row, error: MessengersError) -> str:
    """Cause, remedy, what became of the act; candidates by id, their names marked as data."""
    said = [error.cause, error.remedy]
    if isinstance(error, RateLimited):
        said.append(f"Retry in {max(1, round(error.retry_after_s))} s.")
    sentence = " ".join(part for part in (*said, row.closing(error)) if part)
    if not isinstance(error, Ambiguous) or not error.candidates:
        return sentence
    chats = await call.core.chats.many(call.caller, error.candidates)
    visible = Visible()
    names = [f"[{chat.id}] {visible.line(chat.name)}" for chat in chats]
    listed = [candidate(chat, call.zone) for chat in chats]
    return "\n".join((sentence, *listed, untrusted(names)))


def _error(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


async def shape(ctx: ServerRequestContext[Surface, Any], call_next: CallNext) -> HandlerResult:
    """The middleware: a tools/list of what this caller has, and answers without secrets."""
    if ctx.method == "subscriptions/listen":
        ctx = replace(ctx, params=await ctx.lifespan_context.updates.listening(ctx))
    try:
        result = await call_next(ctx)
    except MCPError as exc:
        raise MCPError(exc.error.code, redact_answer(exc.error.message), exc.error.data) from exc
    if ctx.method in {"initialize", "server/discover"} and caller_of(ctx).channel:
        return advertised(result)
    if ctx.method == "tools/list" and isinstance(result, dict):
        return _own_tools(result, caller_of(ctx))
    if ctx.method in {"tools/call", "resources/read", "prompts/get", "completion/complete"}:
        return cast("HandlerResult", redact_texts(result, _BINARY))
    return result


def _own_tools(result: dict[str, Any], caller: Caller) -> dict[str, Any]:
    tools = [
        same_in_both_eras(tool) for tool in result["tools"] if _ROWS[tool["name"]].open_to(caller)
    ]
    return {**result, "tools": tools}
