//! `+ - * / %` of exact decimals of 28 digits, sums and means, as SQL on integers.
//!
//! A result that has room is exact. What has none is rounded to the most decimals that have, half to even, as the decimals of
//! the evaluators do; what has too many digits before the point is unknown.

use zhiyin_condition::tree::Operator;

use super::number::{DIGITS_BITS, Num, POWERS, WIDE_SCALE};
use super::writing::Writing;

/// 2⁹⁶: what digits are below.
const DIGITS_END: &str = "toInt256('79228162514264337593543950336')";
/// 2⁹⁶ once more rounded to a digit less.
const DIGITS_END_TENTH: &str = "toInt256('7922816251426433759354395034')";
/// 10²⁸.
const UNIT: &str = "toInt256('10000000000000000000000000000')";
/// 10¹⁹: what a sum rounds to, in units of 10⁻²⁸.
const SUM_UNIT: &str = "toInt256('10000000000000000000')";
/// 10²⁷: the largest addend, in units of 10⁻⁹.
const ADDEND_MAX: &str = "toInt256('1000000000000000000000000000')";
/// Decimals of a sum.
const SUM_SCALE: u32 = 9;

impl Writing<'_> {
    pub(super) fn reckoned(&self, op: Operator, a: &Num, b: &Num) -> Num {
        match op {
            Operator::Add | Operator::Subtract => self.added(op, a, b),
            Operator::Multiply => self.multiplied(a, b),
            Operator::Divide => self.divided(a, b),
            _ => {
                let (left, right, scale, bits) = a.aligned(b);
                // Of one type, and that with a sign: of others the sign of a divisor may get lost.
                let (left, right) = (Num::of(left, scale, bits), Num::of(right, scale, bits));
                Num::of(format!("({} % nullIf({}, 0))", left.cast_to(bits), right.cast_to(bits)), scale, bits)
            }
        }
    }

    fn added(&self, op: Operator, a: &Num, b: &Num) -> Num {
        let sign = if op == Operator::Add { '+' } else { '-' };
        let (_, _, scale, bits) = a.aligned(b);
        if bits < DIGITS_BITS {
            // The sum itself may need a bit more than its parts.
            let wider = |num: &Num| Num::of(num.cast_to(bits + 1), num.scale, bits + 1);
            let (left, right, ..) = wider(a).aligned(&wider(b));
            return Num::of(format!("({left} {sign} {right})"), scale, bits + 1);
        }
        let total = format!("({} {sign} {})", a.widened(), b.widened());
        self.exact_of(&[("t", total)], |names| {
            let total = &names[0];
            let fitted = self.fitted(&format!("toInt256(abs({total}))"), "toInt256(0)", "toInt256(1)");
            format!("{fitted} * sign({total})")
        })
    }

    fn multiplied(&self, a: &Num, b: &Num) -> Num {
        let (bits, scale) = (a.bits + b.bits, a.scale + b.scale);
        if bits <= DIGITS_BITS && scale <= WIDE_SCALE {
            return Num::of(format!("({} * {})", a.cast_to(bits), b.cast_to(bits)), scale, bits);
        }
        self.exact_of(&[("a", a.widened()), ("b", b.widened())], |names| {
            let (a, b) = (&names[0], &names[1]);
            let parts = [
                ("ai", format!("intDiv(toInt256(abs({a})), {UNIT})")),
                ("af", format!("toInt256(abs({a})) % {UNIT}")),
                ("bi", format!("intDiv(toInt256(abs({b})), {UNIT})")),
                ("bf", format!("toInt256(abs({b})) % {UNIT}")),
            ];
            let product = self.named(&parts, |p| {
                let (ai, af, bi, bf) = (&p[0], &p[1], &p[2], &p[3]);
                let whole =
                    format!("{ai} * {bi} * {UNIT} + {ai} * {bf} + {af} * {bi} + intDiv({af} * {bf}, {UNIT})");
                let fitted = self.fitted(&whole, &format!("({af} * {bf}) % {UNIT}"), UNIT);
                format!("if({ai} * {bi} >= {DIGITS_END}, NULL, {fitted})")
            });
            format!("{product} * sign({a}) * sign({b})")
        })
    }

    pub(super) fn divided(&self, a: &Num, b: &Num) -> Num {
        const HALF: &str = "toInt256('100000000000000')";
        let divisor = format!("nullIf({}, toInt256(0))", b.widened());
        self.exact_of(&[("a", a.widened()), ("b", divisor)], |names| {
            let (a, b) = (&names[0], &names[1]);
            let sides = [("x", format!("toInt256(abs({a}))")), ("y", format!("toInt256(abs({b}))"))];
            let quotient = self.named(&sides, |s| {
                let (x, y) = (&s[0], &s[1]);
                let first = [("q", format!("intDiv({x}, {y})")), ("r", format!("({x} % {y}) * {HALF}"))];
                self.named(&first, |f| {
                    let (q, r) = (&f[0], &f[1]);
                    let second = [("f", format!("intDiv({r}, {y})")), ("s", format!("({r} % {y}) * {HALF}"))];
                    self.named(&second, |g| {
                        let (f, s) = (&g[0], &g[1]);
                        let whole = format!("{q} * {UNIT} + {f} * {HALF} + intDiv({s}, {y})");
                        let fitted = self.fitted(&whole, &format!("{s} % {y}"), y);
                        format!("if({q} >= {DIGITS_END}, NULL, {fitted})")
                    })
                })
            });
            format!("{quotient} * sign({a}) * sign({b})")
        })
    }

    /// `whole` units of 10⁻²⁸ and `rest`/`of` of one more, neither negative, as an exact decimal has it.
    fn fitted(&self, whole: &str, rest: &str, of: &str) -> String {
        let parts = [("w", whole.to_owned()), ("r", rest.to_owned()), ("d", of.to_owned())];
        self.named(&parts, |p| {
            let (w, r, d) = (&p[0], &p[1], &p[2]);
            let drop = self.fresh("p");
            // How many digits must go.
            let digits = [("k", format!("arrayCount({drop} -> {w} >= {drop} * {DIGITS_END}, {POWERS})"))];
            self.named(&digits, |k| {
                let k = &k[0];
                let power = [("t", format!("{POWERS}[least({k}, {WIDE_SCALE}) + 1]"))];
                let rounded = self.named(&power, |t| {
                    let t = &t[0];
                    let cut = [("q", format!("intDiv({w}, {t})")), ("c", format!("{w} % {t}"))];
                    self.named(&cut, |c| {
                        let (q, c) = (&c[0], &c[1]);
                        let is_odd = format!("{q} % 2 = 1");
                        let up = format!(
                            "if({k} = 0, 2 * {r} > {d} OR (2 * {r} = {d} AND {is_odd}), \
                             2 * {c} > {t} OR (2 * {c} = {t} AND ({r} > 0 OR {is_odd})))"
                        );
                        self.named(&[("u", format!("{q} + {up}"))], |u| {
                            let u = &u[0];
                            format!(
                                "if({u} < {DIGITS_END}, toNullable({u} * {t}), \
                                 if({k} = {WIDE_SCALE}, NULL, {DIGITS_END_TENTH} * {t} * 10))"
                            )
                        })
                    })
                });
                format!("if({k} > {WIDE_SCALE}, NULL, {rounded})")
            })
        })
    }

    /// What is reckoned of exact decimals; unknown where one of them is.
    fn exact_of(&self, of: &[(&str, String)], body: impl FnOnce(&[String]) -> String) -> Num {
        let sql = self.named(of, |names| {
            let unknown: Vec<String> = names.iter().map(|name| format!("isNull({name})")).collect();
            let known: Vec<(&str, String)> = of
                .iter()
                .zip(names)
                .map(|((short, _), name)| (*short, format!("assumeNotNull({name})")))
                .collect();
            format!("if({}, NULL, {})", unknown.join(" OR "), self.named(&known, body))
        });
        Num::wide(sql)
    }

    /// A number on its way into a sum: whole units or NULL where it is left out, how many decimals they have, and whether
    /// they may be of any size.
    pub(super) fn addend(&self, num: &Num) -> (String, u32, bool) {
        // Below 10¹⁸ by its width alone, and without a digit to be rounded away.
        let below = num.bits <= 59 || (num.bits <= 63 && num.scale >= 1);
        if num.scale <= SUM_SCALE && below {
            return (num.cast_to(64), num.scale, false);
        }
        let sql = self.named(&[("a", num.widened())], |names| {
            let a = &names[0];
            let half = "toInt256('5000000000000000000')";
            let rounded = format!("intDiv(toInt256(abs({a})) + {half}, {SUM_UNIT})");
            self.named(&[("n", rounded)], |n| {
                let n = &n[0];
                format!("if(isNull({n}) OR {n} > {ADDEND_MAX}, NULL, toNullable({n} * sign({a})))")
            })
        });
        (sql, SUM_SCALE, true)
    }

    /// A sum of [addends](Self::addend), given as an array.
    pub(super) fn summed(&self, addends: &str, scale: u32, wide: bool) -> Num {
        if !wide {
            return Num::of(format!("ifNull(arrayReduce('sum', {addends}), 0)"), scale, DIGITS_BITS);
        }
        let total = format!("ifNull(arrayReduce('sum', {addends}), toInt256(0))");
        let sql = self.named(&[("s", total)], |names| {
            let s = &names[0];
            let p = self.fresh("p");
            // Too many digits are none too many where they end in zeros.
            let fits = format!(
                "arrayExists({p} -> {s} % {p} = 0 AND toInt256(abs({s})) < {DIGITS_END} * {p}, arraySlice({POWERS}, 1, 10))"
            );
            format!("if({fits}, toNullable({s} * {SUM_UNIT}), NULL)")
        });
        Num::wide(sql)
    }
}
