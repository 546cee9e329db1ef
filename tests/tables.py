"""Tables to learn from, made from a seed: one with classes, one with amounts, each with columns to be left out."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_customers(path: Path, rows: int = 400, seed: int = 7) -> None:
    """Customers who leave or stay: depends on months, calls and plan, with noise."""
    make = random.Random(seed)  # noqa: S311 - test data, not a secret
    lines = ["customer_id,since,months,calls,plan,newsletter,country,comment,churned,cancelled_at"]
    for number in range(1, rows + 1):
        months, calls, plan = make.randint(1, 60), make.randint(0, 9), make.choice(["basic", "plus", "pro"])
        risk = (
            0.08 * calls - 0.02 * months + {"basic": 0.5, "plus": 0.2, "pro": 0.0}[plan] + make.gauss(0, 0.15)
        )
        left = risk > 0.0
        calls_said = "" if make.random() < 0.05 else str(calls)
        since = f"20{make.randint(10, 24)}-{make.randint(1, 12):02d}-{make.randint(1, 28):02d}"
        lines.append(
            f"{number},{since},{months},{calls_said},{plan},{make.choice(['yes', 'no'])},de,said {make.random():.6f},"
            f"{'yes' if left else 'no'},{'gone' if left else 'here'}"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_houses(path: Path, rows: int = 400, seed: int = 11) -> None:
    """Houses and their prices, separated by semicolons."""
    make = random.Random(seed)  # noqa: S311 - test data, not a secret
    lines = ["id;area;rooms;district;built;price;price_in_cents"]
    for number in range(1, rows + 1):
        area, rooms, district = (
            make.uniform(30, 250),
            make.randint(1, 8),
            make.choice(["north", "south", "west"]),
        )
        price = 1500 * area + 9000 * rooms + {"north": 0, "south": 40000, "west": 90000}[district]
        price = round(price * make.uniform(0.9, 1.1), 2)
        lines.append(
            f"h{number:05d};{area:.1f};{rooms};{district};{make.randint(1900, 2024)};{price};{price * 100:.0f}"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
