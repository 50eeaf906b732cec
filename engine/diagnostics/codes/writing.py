"""Codes of exports and calls: E43x and W406 while compiling, E64x while running."""

from .code import Code

CODES: tuple[Code, ...] = (
    Code(
        "E430",
        "entity that cannot be written",
        """
An export names an entity that the connector does not know, or that nobody can write.

```yaml
- export: {connection: stripe_main, entity: custmers, …}
```

**Mend it:** Correct the name; `weir catalog --writes` lists what can be written.
""",
    ),
    Code(
        "E431",
        "action that an entity does not have",
        """
The provider has no request for what the export is to do: prices cannot be deleted, events cannot be made.

```yaml
- export: {entity: prices, action: delete, …}
```

**Mend it:** Take another `action` or `on_missing`; the hint says what there is.
""",
    ),
    Code(
        "E432",
        "unknown parameter",
        """
The provider's request does not take the parameter.

```yaml
map: {"adress[city]": city}
```

**Mend it:** Correct the name. Parts of an object stand in brackets: `address[city]`, keys of a map too:
`metadata[tier]`, places in a list by number: `items[0][price]`.
""",
    ),
    Code(
        "E433",
        "value of a type that a parameter does not take",
        """
The column can never become what the parameter takes; or the parameter is an object, of which a part must be named; or
money is given as text or as a float, which cannot hold it exactly.

```yaml
map: {unit_amount: price_text}
```

**Mend it:** Convert it in the SQL box or in an `expr`. Money is an integer in minor units (cents), or a decimal in
major units (12.50) with the `currency` mapped beside it.
""",
    ),
    Code(
        "E434",
        "required parameter without a value",
        """
An object cannot be made, or a function cannot be called, without this parameter.

```yaml
- export: {entity: prices, match: {lookup_key: key}, map: {unit_amount: amount}}   # no currency
```

**Mend it:** Map it, or use `action: update` where no object is ever to be made.
""",
    ),
    Code(
        "E435",
        "parameter that cannot be compared",
        """
An update sends what differs. What objects do not show cannot be compared, so it would be sent by every run.

**Mend it:** Leave it out, or send it with a `call`.
""",
    ),
    Code(
        "E436",
        "match that does not find objects",
        """
Rows and objects are brought together by what objects show, and what an object that is made here will show again:
otherwise every run would make it anew.

```yaml
match: {id: customer_number}   # ids of customers are given by the provider
```

**Mend it:** Match by `metadata[…]`, by `lookup_key` where there is one, or by `id` where the id may be chosen or
nothing is ever made.
""",
    ),
    Code(
        "E437",
        "write that the connection does not allow",
        """
Nothing may be written unless the connection's definition says so: which entities, whether money may move, and whether
in live mode.

```yaml
grants: {write: [customers], moves_money: false, live: false}
```

**Mend it:** Grant it in the connection, if it is meant. Whoever reviews that line sees what it opens.
""",
    ),
    Code(
        "E438",
        "reference to nothing that was written",
        """
`ref` names an export step of the same interface, before this one, that matches by one column: the value is the id of
what that step has written.

```yaml
map: {product: {ref: products, from: sku}}
```

**Mend it:** Name such a step, or join the id in the SQL box.
""",
    ),
    Code(
        "E439",
        "unknown function",
        """
A call names a function that the connector does not know.

```yaml
- call: {connection: stripe_main, function: invoices.finalise, …}
```

**Mend it:** Correct the name; `weir catalog --writes` lists them.
""",
    ),
    Code(
        "E440",
        "value that a parameter does not take",
        """
A constant is none of the words that the parameter takes, is too long, or is one key too many.

```yaml
map: {tax_exempt: {default: yes}}
```

**Mend it:** Take one of the words in the hint.
""",
    ),
    Code(
        "E441",
        "writes to connected accounts",
        """
A connection that reads connected accounts cannot be written: nothing would say which account a row belongs to.

**Mend it:** Give the exports a connection of their own, without `accounts`.
""",
    ),
    Code(
        "E442",
        "answers that are no rows",
        """
What the function answers is no object of a table, so it cannot be imported.

**Mend it:** Leave `into` out.
""",
    ),
    Code(
        "W406",
        "parameter that is sent once",
        """
Objects do not show the parameter's value. It is sent when an object is made; whether it is still the same, nobody can
tell, so it is never sent again.

**Mend it:** Nothing, if that is what you mean. To send it again and again, use a `call`.
""",
    ),
    Code(
        "E640",
        "plan that does not hold any more",
        """
`weir run --plan FILE` writes exactly what was planned and reviewed, or nothing. Since then the objects at the provider,
the rows of the Schema or the definitions have changed: the message names what.

**Mend it:** `weir plan --live --out FILE` again, and look at it again.
""",
    ),
    Code(
        "E641",
        "more writes than are allowed",
        """
A step would write more, or do away with more, than its `caps` allow. It was stopped before its first write. Without
`caps.max_deletes` at most 20 objects, or a tenth of those that the step takes care of, may be done away with.

```yaml
caps: {max_writes: 500, max_deletes: 0}
```

**Mend it:** Look at `weir plan --live`. If all of it is meant, raise the cap.
""",
    ),
    Code(
        "E642",
        "rows that could not be written",
        """
Some rows of an export or a call were refused, by Weir or by the provider, or nobody knows what became of them. The
others were written.

```console
$ weir query stripe_main "SELECT * FROM weir.outcomes WHERE _status NOT IN ('done', 'unchanged')"
```

**Mend it:** Each row says why. Run it again: what was written is not written again, and what is not known is settled
first.
""",
    ),
)
