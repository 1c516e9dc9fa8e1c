"""The rows of the table, and the JSON beside it."""


class Row:
    """A figure with its spread, what it means, and the goal, which is the most it may be."""

    def __init__(self, name, figure, unit, meaning, goal=None):
        self.name, self.figure, self.unit = name, figure, unit
        self.meaning, self.goal = meaning, goal

    def number(self, part):
        number = self.figure[part]
        return f'{number:.2f}' if self.unit == 'x' else f'{number:,.0f}' if number >= 100 \
            else f'{number:.1f}'

    def verdict(self):
        if self.goal is None:
            return ''
        met = self.figure['median'] <= self.goal
        return f"{'met' if met else 'MISSED'} (at most {self.goal:.3g})"

    def show(self):
        if not self.figure:
            return
        cell = f"{self.number('median')} {self.unit}"
        spread = f"({self.number('low')} to {self.number('high')})"
        print(f'{self.name:58} {cell:>14} {spread:>20}  {self.verdict()}', flush=True)
        print(f'    {self.meaning}', flush=True)

    def as_json(self):
        return {'name': self.name, 'unit': self.unit, 'meaning': self.meaning, 'goal': self.goal,
                **{part: round(number, 4) for part, number in (self.figure or {}).items()}}
