"""Planning: what pass 1 finds in the footage, where shots begin, which frames are painted, and in what windows."""
