"""What Slack has and its years-old specification lacks.

From https://docs.slack.dev/reference/methods; a star marks what is required.
"""

from tests.fakes.slack.people import words

__all__ = ["NEWER_ARGUMENTS", "NEWER_EVENTS", "NEWER_FIELDS", "NEWER_METHODS", "WRONG_PLACES"]

NEWER_METHODS = {
    "apps.connections.open": "",
    "assistant.threads.setStatus": "channel_id* thread_ts* status* loading_messages",
    "bookmarks.add": "channel_id* title* type* link emoji entity_id access_level parent_id",
    "bookmarks.list": "channel_id*",
    "bookmarks.remove": "channel_id* bookmark_id*",
    "files.completeUploadExternal": (
        "files* channel_id thread_ts channels initial_comment blocks username icon_url icon_emoji"
    ),
    "files.getUploadURLExternal": "length* filename* snippet_type alt_txt",
}
NEWER_ARGUMENTS = {
    "chat.postMessage": "markdown_text metadata",
    "chat.update": "markdown_text metadata reply_broadcast file_ids",
    "chat.postEphemeral": "markdown_text metadata",
    "chat.scheduleMessage": "markdown_text metadata",
    "chat.scheduledMessages.list": "team_id",
    "conversations.create": "team_id",
    "conversations.history": "include_all_metadata",
    "conversations.invite": "force",
    "conversations.list": "team_id",
    "conversations.open": "prevent_creation",
    "conversations.replies": "include_all_metadata",
    "files.list": "team_id",
    "reactions.list": "team_id",
    "search.messages": "team_id cursor",
    "team.info": "domain",
    "users.conversations": "team_id",
    "users.list": "team_id",
}
NEWER_EVENTS = frozenset({"app_home_opened", "group_deleted"})
NEWER_FIELDS = frozenset(
    words(
        "app_id blocks bot_id bot_profile client_msg_id context_team_id display_as_bot edited "
        "file_access files hidden is_email_confirmed is_locked metadata reactions "
        "response_metadata root subtype ts updated upload url user_id who_can_share_contact_card"
    )
)
# The specification says object; examples and the page say list.
WRONG_PLACES = frozenset({"chat.update.message.blocks"})
