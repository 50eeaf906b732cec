"""Business processes of a subscription business and the objects and events that they create.

The seeds and the handlers of writes share them, so seeded and later objects are consistent.
"""
