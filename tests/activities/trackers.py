"""Answers as GitHub, GitLab and Jira give them: the examples of their documentation, cut short."""

from __future__ import annotations

from typing import Any

GITHUB_MILESTONE: dict[str, Any] = {
    "url": "https://api.github.com/repos/octocat/Hello-World/milestones/1",
    "html_url": "https://github.com/octocat/Hello-World/milestones/v1.0",
    "id": 1002604,
    "node_id": "MDk6TWlsZXN0b25lMTAwMjYwNA==",
    "number": 1,
    "state": "open",
    "title": "v1.0",
    "description": "Tracking milestone for version 1.0",
    "creator": {"login": "octocat", "id": 1, "type": "User", "site_admin": False},
    "open_issues": 4,
    "closed_issues": 8,
    "created_at": "2011-04-10T20:09:31Z",
    "updated_at": "2014-03-03T18:58:10Z",
    "closed_at": None,
    "due_on": "2012-10-09T23:39:01Z",
}
GITHUB_RELEASE: dict[str, Any] = {
    "url": "https://api.github.com/repos/octocat/Hello-World/releases/1",
    "id": 1,
    "tag_name": "v1.0.0",
    "target_commitish": "master",
    "name": "v1.0.0",
    "body": "Description of the release",
    "draft": False,
    "prerelease": False,
    "immutable": False,
    "created_at": "2013-02-27T19:35:32Z",
    "published_at": "2013-02-27T19:35:32Z",
    "author": {"login": "octocat", "id": 1},
    "assets": [],
}
GITHUB_REPO: dict[str, Any] = {
    "id": 1296269,
    "name": "Hello-World",
    "full_name": "octocat/Hello-World",
    "private": False,
    "archived": False,
}
GITHUB_SEARCH: dict[str, Any] = {
    "total_count": 280,
    "incomplete_results": False,
    "items": [
        {
            "url": "https://api.github.com/repos/batterseapower/pinyin-toolkit/issues/132",
            "id": 35802,
            "number": 132,
            "title": "Line Number Indexes Beyond 20 Not Displayed",
            "state": "open",
            "score": 1,
        }
    ],
}
GITHUB_NOT_FOUND = {
    "message": "Not Found",
    "documentation_url": "https://docs.github.com/rest/releases/releases#get-a-release-by-tag-name",
    "status": "404",
}
GITHUB_LIMITED = {
    "message": "API rate limit exceeded for user ID 1.",
    "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api",
}
GITLAB_MILESTONE: dict[str, Any] = {
    "id": 12,
    "iid": 3,
    "project_id": 16,
    "title": "10.0",
    "description": "Version",
    "due_date": "2013-11-29",
    "start_date": "2013-11-10",
    "state": "active",
    "updated_at": "2013-10-02T09:24:18Z",
    "created_at": "2013-10-02T09:24:18Z",
    "expired": False,
}
GITLAB_RELEASE: dict[str, Any] = {
    "tag_name": "v0.1",
    "description": "## CHANGELOG",
    "name": "Awesome app v0.1 alpha",
    "created_at": "2019-01-03T01:55:18.203Z",
    "released_at": "2019-01-03T01:55:18.203Z",
    "upcoming_release": False,
    "author": {"id": 1, "username": "root", "state": "active"},
    "assets": {"count": 4, "sources": [], "links": []},
}
GITLAB_ISSUE: dict[str, Any] = {
    "id": 41,
    "iid": 1,
    "project_id": 4,
    "state": "opened",
    "title": "Ut commodi ullam eos dolores perferendis nihil sunt.",
    "labels": ["blocker"],
    "confidential": False,
}
GITLAB_PROJECT = {"id": 4, "path_with_namespace": "diaspora/diaspora-client"}
GITLAB_NOT_FOUND = {"message": "404 Not found"}
GITLAB_LIMITED = {
    "message": {"error": "This endpoint has been requested too many times. Try again later."}
}
JIRA_VERSION: dict[str, Any] = {
    "self": "https://your-domain.atlassian.net/rest/api/3/version/10000",
    "id": "10000",
    "description": "An excellent version",
    "name": "New Version 1",
    "archived": False,
    "released": True,
    "releaseDate": "2010-07-06",
    "overdue": True,
    "userReleaseDate": "6/Jul/2010",
    "projectId": 10000,
}
JIRA_CLOUD_PAGE: dict[str, Any] = {
    "issues": [
        {
            "expand": "",
            "id": "10002",
            "self": "https://your-domain.atlassian.net/rest/api/3/issue/10002",
            "key": "ED-1",
        }
    ],
    "isLast": True,
}
JIRA_SERVER_PAGE: dict[str, Any] = {
    "expand": "schema,names",
    "startAt": 0,
    "maxResults": 0,
    "total": 7,
    "issues": [],
}
