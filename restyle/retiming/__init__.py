"""Retiming: another frame rate, and slow motion.

``retimer``     ``restyle.retime``: from file to file
``conversion``  the output's frames made of the footage's: frame rate conversion
``clock``       when each frame is shown; rates and factors as a person writes them
``repeats``     frames that only repeat the one before

The interpolators that new frames come from are in ``interp.interpolate``. Sound, subtitles and chapters on another clock are
``restyle.footage.passthrough.Retimed``'s; the command is ``restyle.cli.retime``.
"""
