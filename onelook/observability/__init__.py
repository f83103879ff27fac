"""What leaves this process about its runs, when somebody asks for it: traces, and never a picture."""
