"""What tau-bench's two customer-service domains share.

People and their manners, the pieces that a customer's goal is built of, the endless task source,
the loader of original data, and the tools that both domains have.
"""
