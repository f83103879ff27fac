"""The runner for many machines: Ray Data reads the list of pictures, actors tag them, Parquet holds the answers.

    FOLDER/pictures/       the list: place and id of each picture
    FOLDER/<fingerprint>/  the answers, a Parquet file for each block of pictures
    FOLDER/checkpoint/     Ray's own, while a run is not finished

Paths travel, pictures do not: an actor opens and decodes what it tags, so every machine must see the same paths.
"""
