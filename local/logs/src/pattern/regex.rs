//! The regular expressions that patterns may hold: no groups, ASCII, and never slow.
//!
//! An expression becomes a small machine whose states are all followed at once, so a text is read once whatever the
//! expression is. Not here: groups, classes like `[[:alpha:]]`, look-around; the service has none of them either.

use super::PatternError;

/// The largest machine: `{m,n}` is written out.
const STATES_MAX: usize = 2000;
/// The largest number in `{m,n}`.
const REPEAT_MAX: usize = 100;

/// An expression, ready to match.
#[derive(Clone, Debug)]
pub struct Regex {
    program: Vec<State>,
}

#[derive(Clone, Debug)]
enum State {
    /// One character out of a set.
    Take(Set),
    /// Goes on at both.
    Split(usize, usize),
    Jump(usize),
    /// At the text's beginning.
    Start,
    /// At the text's end.
    End,
    Found,
}

/// Ranges of characters, or all but these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Set {
    ranges: Vec<(char, char)>,
    negated: bool,
}

/// One thing of an expression, before it is repeated.
#[derive(Clone, Debug)]
enum Atom {
    One(Set),
    Start,
    End,
}

impl Regex {
    /// Reads what stands between the percent signs.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let wrong = || PatternError::characters(&format!("%{text}%"));
        let mut parser = Parser { chars: text.chars().collect(), at: 0 };
        let mut program = Vec::new();
        let mut ends = Vec::new();
        loop {
            // Every alternative but the last begins with a fork to the one behind it.
            let fork = program.len();
            program.push(State::Jump(fork + 1));
            parser.sequence(&mut program).ok_or_else(wrong)?;
            if !parser.take('|') {
                break;
            }
            ends.push(program.len());
            program.push(State::Jump(0));
            program[fork] = State::Split(fork + 1, program.len());
        }
        if parser.at < parser.chars.len() || program.len() > STATES_MAX {
            return Err(wrong());
        }
        let found = program.len();
        for end in ends {
            program[end] = State::Jump(found);
        }
        program.push(State::Found);
        Ok(Self { program })
    }

    /// Whether it is found anywhere in a text.
    pub fn is_in(&self, text: &str) -> bool {
        let mut now = vec![false; self.program.len()];
        let mut next = now.clone();
        let mut stack = Vec::new();
        let mut chars = text.chars().peekable();
        let mut is_start = true;
        loop {
            let c = chars.next();
            // It may begin at every character.
            if self.follow(0, &mut now, &mut stack, is_start, c.is_none()) {
                return true;
            }
            let Some(c) = c else { return false };
            let is_end = chars.peek().is_none();
            for (index, state) in self.program.iter().enumerate() {
                if now[index]
                    && matches!(state, State::Take(set) if set.has(c))
                    && self.follow(index + 1, &mut next, &mut stack, false, is_end)
                {
                    return true;
                }
            }
            std::mem::swap(&mut now, &mut next);
            next.fill(false);
            is_start = false;
        }
    }

    /// Marks what is reached from `from` without taking a character; true if that is the end.
    fn follow(&self, from: usize, reached: &mut [bool], stack: &mut Vec<usize>, start: bool, end: bool) -> bool {
        stack.clear();
        stack.push(from);
        while let Some(index) = stack.pop() {
            if std::mem::replace(&mut reached[index], true) {
                continue;
            }
            match &self.program[index] {
                State::Found => return true,
                State::Jump(to) => stack.push(*to),
                State::Split(one, other) => stack.extend([*other, *one]),
                State::Start if start => stack.push(index + 1),
                State::End if end => stack.push(index + 1),
                State::Take(_) | State::Start | State::End => {}
            }
        }
        false
    }
}

impl Set {
    fn of(ranges: &[(char, char)]) -> Self {
        Self { ranges: ranges.to_vec(), negated: false }
    }

    fn has(&self, c: char) -> bool {
        self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != self.negated
    }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn take(&mut self, c: char) -> bool {
        let is_next = self.peek() == Some(c);
        self.at += usize::from(is_next);
        is_next
    }

    /// Up to `|` or the end. Nothing if it is no expression.
    fn sequence(&mut self, program: &mut Vec<State>) -> Option<()> {
        while self.peek().is_some_and(|c| c != '|') {
            let atom = self.atom()?;
            let (min, max) = self.repetition()?;
            for _ in 0..min {
                program.push(atom.state());
            }
            match max {
                // Back to a fork before it, again and again.
                None => {
                    let fork = program.len();
                    program.extend([State::Split(fork + 1, fork + 3), atom.state(), State::Jump(fork)]);
                }
                Some(max) => {
                    let end = program.len() + 2 * max.checked_sub(min)?;
                    for _ in min..max {
                        program.extend([State::Split(program.len() + 1, end), atom.state()]);
                    }
                }
            }
            if program.len() > STATES_MAX {
                return None;
            }
        }
        Some(())
    }

    /// `?`, `*`, `+`, `{2}`, `{2,}`, `{2,3}`, or once.
    fn repetition(&mut self) -> Option<(usize, Option<usize>)> {
        if self.take('?') {
            return Some((0, Some(1)));
        }
        if self.take('*') {
            return Some((0, None));
        }
        if self.take('+') {
            return Some((1, None));
        }
        if !self.take('{') {
            return Some((1, Some(1)));
        }
        let min = self.number()?;
        let max = if !self.take(',') {
            Some(min)
        } else if self.peek() == Some('}') {
            None
        } else {
            Some(self.number()?)
        };
        self.take('}').then_some((min, max))
    }

    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            self.at += 1;
            number = Some(number.unwrap_or(0) * 10 + usize::try_from(digit).ok()?);
            if number > Some(REPEAT_MAX) {
                return None;
            }
        }
        number
    }

    fn atom(&mut self) -> Option<Atom> {
        match self.next()? {
            '^' => Some(Atom::Start),
            '$' => Some(Atom::End),
            '.' => Some(Atom::One(Set { ranges: vec![('\n', '\n')], negated: true })),
            '[' => self.class().map(Atom::One),
            '\\' => self.escape().map(Atom::One),
            c if c.is_ascii_alphanumeric() || " _#=@/;,-:".contains(c) => Some(Atom::One(Set::of(&[(c, c)]))),
            _ => None,
        }
    }

    /// `\d`, `\.`, `\x28`
    fn escape(&mut self) -> Option<Set> {
        let word = [('0', '9'), ('A', 'Z'), ('a', 'z'), ('_', '_')];
        let space = [(' ', ' '), ('\t', '\r')];
        let (set, negated) = match self.next()? {
            'd' => (Set::of(&[('0', '9')]), false),
            'D' => (Set::of(&[('0', '9')]), true),
            'w' => (Set::of(&word), false),
            'W' => (Set::of(&word), true),
            's' => (Set::of(&space), false),
            'S' => (Set::of(&space), true),
            't' => (Set::of(&[('\t', '\t')]), false),
            'x' => {
                let digits: String = [self.next()?, self.next()?].into_iter().collect();
                let c = char::from(u8::from_str_radix(&digits, 16).ok()?);
                (Set::of(&[(c, c)]), false)
            }
            c if c.is_ascii_punctuation() => (Set::of(&[(c, c)]), false),
            _ => return None,
        };
        Some(Set { negated, ..set })
    }

    /// `[a-z0-9]`, `[^"]`
    fn class(&mut self) -> Option<Set> {
        let mut set = Set { ranges: Vec::new(), negated: self.take('^') };
        loop {
            let from = match self.next()? {
                ']' if set.ranges.is_empty() => return None,
                ']' => return Some(set),
                '\\' => {
                    let escaped = self.escape()?;
                    let &[(from, to)] = escaped.ranges.as_slice() else {
                        set.ranges.extend(escaped.ranges);
                        continue;
                    };
                    if escaped.negated {
                        return None;
                    }
                    if from != to {
                        set.ranges.push((from, to));
                        continue;
                    }
                    from
                }
                c => c,
            };
            let is_range = self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| *c != ']');
            if !is_range {
                set.ranges.push((from, from));
                continue;
            }
            self.at += 1;
            let to = match self.next()? {
                '\\' => self.escape()?.ranges.first()?.1,
                c => c,
            };
            if from > to {
                return None;
            }
            set.ranges.push((from, to));
        }
    }
}

impl Atom {
    fn state(&self) -> State {
        match self {
            Self::One(set) => State::Take(set.clone()),
            Self::Start => State::Start,
            Self::End => State::End,
        }
    }
}
