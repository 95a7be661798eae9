"""Tasks that an agent makes: Code-as-Task, the gates that admit them, and the challengers."""
