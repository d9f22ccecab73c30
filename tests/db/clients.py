"""Clients of the database: what they were told."""

import threading
import time

import pymysql


class Raw(str):
    """An expression instead of a value."""


class Writer(threading.Thread):
    """One insert on a connection of its own; .told is "ok", or the error's text, or None while it waits."""

    def __init__(self, server, value, user="app", password="app"):
        super().__init__(daemon=True)
        self.connection = server.connect(user, password)
        self.value, self.told = value, None
        self.start()

    def run(self):
        try:
            with self.connection.cursor() as cursor:
                if isinstance(self.value, Raw):
                    cursor.execute(f"INSERT INTO shop.orders (v) VALUES ({self.value})")
                else:
                    cursor.execute("INSERT INTO shop.orders (v) VALUES (%s)", (self.value,))
            self.told = "ok"
        except (pymysql.Error, OSError) as error:
            self.told = repr(error)


class Stalls(threading.Thread):
    """How long this machine kept runnable threads waiting: what a bound in milliseconds must allow for where other work runs beside the tests."""

    def __init__(self):
        super().__init__(daemon=True)
        self.late = []
        self.start()

    def run(self):
        while True:
            begin = time.monotonic()
            time.sleep(0.005)
            late = time.monotonic() - begin - 0.005
            if late > 0.003:
                self.late.append((begin, late))

    def since(self, begin):
        time.sleep(0.01)
        return 2 * sum(late for at, late in self.late if at >= begin - 0.5)


stalls = Stalls()


class Load(threading.Thread):
    """Inserts as fast as it goes; .told are the values it was told were written, .longest the longest wait in seconds."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.connection = server.app()
        self.told, self.longest, self.error, self.stopping = [], 0, None, False
        self.start()

    def run(self):
        value = 1000000
        try:
            with self.connection.cursor() as cursor:
                while not self.stopping:
                    value += 1
                    begin = time.monotonic()
                    cursor.execute("INSERT INTO shop.orders (v) VALUES (%s)", (value,))
                    self.longest = max(self.longest, time.monotonic() - begin)
                    self.told.append(value)
        except (pymysql.Error, OSError) as error:
            self.error = repr(error)

    def stop(self):
        self.stopping = True
        self.join(5)
        return self.told


def create_orders(server):
    with server.app() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS shop")
        cursor.execute("CREATE TABLE IF NOT EXISTS shop.orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, v BIGINT)")


def values(server):
    return {row["v"] for row in server.query("SELECT v FROM shop.orders")}
