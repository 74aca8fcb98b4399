"""The node's client: the `Console` interface over mutual TLS, for window, CLI and automation."""

from console.client.founders import Founder, FoundersUnreadable, founders
from console.client.own_node import NodeLook, OwnNode, ProcessState
from console.client.profiles import Profile, ProfileUnreadable, find_profiles, write_profile
from console.client.remote import connect
from console.client.service_unit import ServiceUnit

__all__ = [
    "Founder",
    "FoundersUnreadable",
    "NodeLook",
    "OwnNode",
    "ProcessState",
    "Profile",
    "ProfileUnreadable",
    "ServiceUnit",
    "connect",
    "find_profiles",
    "founders",
    "write_profile",
]
