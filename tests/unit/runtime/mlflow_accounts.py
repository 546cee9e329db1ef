"""MLflow's store of users in memory, for the tests of the door and of its people."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Grant:
    resource_type: str
    resource_pattern: str
    permission: str


@dataclass
class Role:
    id: int
    name: str
    permissions: list[Grant] = field(default_factory=list)


@dataclass
class User:
    id: int
    username: str
    is_admin: bool = False
    roles: list[Role] = field(default_factory=list)


class FakeAccounts:
    """Users and roles, and how often one was asked for."""

    def __init__(self):
        self.users = {}
        self.roles = []
        self.asked = 0
        self.raced = False

    def has_user(self, username):
        self.asked += 1
        return username in self.users

    def get_user(self, username):
        return self.users[username]

    def create_user(self, username, password):
        assert len(password) > 30
        self.users[username] = made = User(len(self.users) + 1, username)
        made.roles.append(Role(-made.id, f"__user_{made.id}__"))
        if self.raced:
            raise RuntimeError("User (username=vera) already exists")

    def grant_user_permission(self, username, resource_type, resource_pattern, permission):
        own = self.users[username].roles[0]
        own.permissions = [one for one in own.permissions if one.resource_type != resource_type]
        own.permissions.append(Grant(resource_type, resource_pattern, permission))

    def granted(self, username):
        return {one.resource_type: one.permission for one in self.users[username].roles[0].permissions}

    def list_users_with_roles(self):
        return [(user, list(user.roles)) for user in self.users.values()]

    def list_user_roles(self, user_id):
        return next(user.roles for user in self.users.values() if user.id == user_id)

    def assign_role_to_user(self, user_id, role_id):
        held = self.list_user_roles(user_id)
        if any(role.id == role_id for role in held):
            raise RuntimeError("already exists")
        held.append(next(role for role in self.roles if role.id == role_id))

    def get_role_by_name(self, workspace, name):
        assert workspace == "default"
        return next(role for role in self.roles if role.name == name)

    def create_role(self, name, workspace, description):
        assert workspace == "default"
        assert description
        self.roles.append(Role(len(self.roles) + 1, name))
        return self.roles[-1]

    def update_role(self, role_id, *, name):
        next(role for role in self.roles if role.id == role_id).name = name

    def marked(self):
        return {
            name
            for name, user in self.users.items()
            if any(role.name == "airfoil-people" for role in user.roles)
        }
